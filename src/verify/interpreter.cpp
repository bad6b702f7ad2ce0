#include "verify/interpreter.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/checked.h"
#include "layers/layer_kind.h"
#include "tensor/rearrange.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// The values that are there at the same time: 4 GiB. A file can ask for a reshape or an upsampling to any
// size.
constexpr std::uint64_t most_elements = std::uint64_t{1} << 29;

Where where_layer(const std::string& file, const Layer& layer) {
  Where where;
  where.file = file;
  where.layer = layer.name;
  return where;
}

std::vector<int> inverse(const std::vector<int>& order) {
  std::vector<int> out(order.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    out.at(static_cast<std::size_t>(order[k])) = static_cast<int>(k);
  return out;
}

template <typename Stored>
void widen(Bytes bytes, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored value{};
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<double>(value);
  }
}

std::vector<double> load_doubles(const LazyTensor& tensor) {
  const Bytes in_memory = tensor.source->view();
  const std::vector<std::byte> loaded = in_memory.empty() ? tensor.load() : std::vector<std::byte>{};
  const Bytes bytes = in_memory.empty() ? Bytes(loaded) : in_memory;
  const std::size_t size = size_of(tensor.dtype);
  std::vector<double> values(bytes.size() / size);
  if (tensor.dtype == DType::f32) {
    widen<float>(bytes, values);
  } else if (tensor.dtype == DType::f64) {
    widen<double>(bytes, values);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = to_double(tensor.dtype, bytes.data() + i * size);
  }
  return values;
}

// The term's numbers in the parameter's canonical order.
Array load_term(const Parameter& parameter, const Term& term, const FrameworkModel& file) {
  Where where;
  where.file = file.file;
  where.tensor = term.tensor;
  const LazyTensor* tensor = file.find_tensor(term.tensor);
  if (tensor == nullptr) throw malformed("the file has no such tensor", where);
  if (!is_real_float(tensor->dtype)) {
    throw unsupported("the interpreter does not compute with " + std::string(to_string(tensor->dtype)), where,
                      "use the framework itself as the witness (--witness)");
  }
  const std::vector<double> values = load_doubles(*tensor);
  Array arranged(pattern_shape(parameter.canonical, parameter.sizes));
  const auto loops = arrange(term.pattern, parameter.canonical, parameter.sizes);
  copy_elements(loops, sizeof(double), std::as_bytes(std::span(values)),
                std::as_writable_bytes(std::span(arranged.data)));
  return arranged;
}

// Until when each value is needed.
class Lifetimes {
 public:
  Lifetimes(const Model& model, const std::set<int>* keep)
      : keep_(keep), last_reader_(model.values.size(), -1) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      for (const int value : model.layers[i].inputs)
        last_reader_.at(static_cast<std::size_t>(value)) = static_cast<int>(i);
    }
  }

  // Whether the value is not needed any more when the layer with this index is done.
  [[nodiscard]] bool is_spent(int value, std::size_t layer) const {
    if (keep_ == nullptr || keep_->contains(value)) return false;
    return last_reader_.at(static_cast<std::size_t>(value)) <= static_cast<int>(layer);
  }

 private:
  const std::set<int>* keep_;     // null: all
  std::vector<int> last_reader_;  // for each value, the index of a layer
};

std::uint64_t elements_of(const Value& value, std::int64_t batch) {
  std::uint64_t elements = 1;
  for (const Axis& axis : value.axes) {
    const std::int64_t size = axis.size == unknown ? std::max<std::int64_t>(batch, 1) : axis.size;
    elements = checked_mul(elements, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0)))
                   .value_or(most_elements + 1);
  }
  return std::min(elements, most_elements + 1);
}

// Refuses before anything is computed where the shapes are known.
void check_memory(const Model& model, std::int64_t batch, const Lifetimes& lifetimes) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(model.values.size());
  for (const Value& value : model.values) sizes.push_back(elements_of(value, batch));
  std::uint64_t alive = 0;
  for (const int input : model.inputs) alive += sizes.at(static_cast<std::size_t>(input));
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    for (const int value : layer.outputs) alive += sizes.at(static_cast<std::size_t>(value));
    if (alive > most_elements) {
      throw unsupported("its output and the values that are still needed have more than " +
                            std::to_string(most_elements) + " elements",
                        where_layer(model.file, layer),
                        "give a smaller --input-shape, or use the framework itself as the witness");
    }
    std::set<int> ended;
    for (const auto* list : {&layer.inputs, &layer.outputs}) {
      for (const int value : *list) {
        if (!lifetimes.is_spent(value, i) || !ended.insert(value).second) continue;
        std::uint64_t& size = sizes.at(static_cast<std::size_t>(value));
        alive -= size;
        size = 0;
      }
    }
  }
}

void check_shape(const Array& array, const Value& value) {
  if (!value.known) return;
  bool fits = array.rank() == value.axes.size();
  for (std::size_t k = 0; fits && k < array.rank(); ++k) {
    fits = value.axes[k].size == unknown || value.axes[k].size == array.shape[k];
  }
  if (!fits) {
    throw malformed("the computed output has the shape " + to_string(array.shape) + ", the model states " +
                    to_string(shape_of(value.axes)));
  }
}

// Inputs of a layer; `spent` as in Evaluation.
struct LayerInputs {
  std::vector<const Array*> arrays;
  std::vector<Array*> spent;
};

bool reorders(const std::vector<int>& order) {
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (order[k] != static_cast<int>(k)) return true;
  }
  return false;
}

std::vector<Array> compute(const Layer& layer, const LayerInputs& inputs, const LayerParameters& parameters,
                           bool plain) {
  const LayerKind& kind = kind_named(layer.kind);
  if (!kind.compute) throw internal_error("the layer kind " + layer.kind + " cannot be computed");
  if (!plain && kind.compute_fast) {
    auto outputs = kind.compute_fast({layer, inputs.arrays, parameters, inputs.spent});
    if (outputs) return std::move(*outputs);
  }
  std::vector<Array> canonical;
  canonical.reserve(inputs.arrays.size());
  Evaluation evaluation{layer, inputs.arrays, parameters, inputs.spent};
  evaluation.spent.resize(inputs.arrays.size(), nullptr);
  for (std::size_t k = 0; k < std::min(inputs.arrays.size(), layer.orders.size()); ++k) {
    if (!reorders(layer.orders[k])) continue;
    canonical.push_back(permuted(*inputs.arrays[k], layer.orders[k]));
    evaluation.inputs[k] = &canonical.back();
    evaluation.spent[k] = &canonical.back();
  }
  std::vector<Array> outputs = kind.compute(evaluation);
  if (!outputs.empty() && reorders(layer.output_order)) {
    outputs[0] = permuted(outputs[0], inverse(layer.output_order));
  }
  return outputs;
}

// One run of a model.
class Run {
 public:
  Run(const Model& model, const FrameworkModel& file, const std::vector<Array>& inputs,
      const Lifetimes& lifetimes, const InterpretOptions& options)
      : model_(model), file_(file), lifetimes_(lifetimes), options_(options), values_(model.values.size()) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values_.at(static_cast<std::size_t>(model.inputs[i])) = inputs[i];
  }

  void run_layer(std::size_t index) {
    const Layer& layer = model_.layers[index];
    LayerInputs inputs;
    for (const int value : layer.inputs) {
      auto& array = values_.at(static_cast<std::size_t>(value));
      if (!array) return;
      const bool once = std::ranges::count(layer.inputs, value) == 1;
      inputs.arrays.push_back(&*array);
      inputs.spent.push_back(once && lifetimes_.is_spent(value, index) ? &*array : nullptr);
    }
    std::vector<Array> outputs = outputs_of(layer, index, inputs);
    for (std::size_t k = 0; k < std::min(outputs.size(), layer.outputs.size()); ++k) {
      const auto value = static_cast<std::size_t>(layer.outputs[k]);
      check_shape(outputs[k], model_.values.at(value));
      values_[value] = std::move(outputs[k]);
    }
    count_bytes();
    free_spent(layer, index);
  }

  std::vector<std::optional<Array>> values() && { return std::move(values_); }

 private:
  std::vector<Array> outputs_of(const Layer& layer, std::size_t index, const LayerInputs& inputs) {
    if (options_.parameters != nullptr) {
      const auto found = options_.parameters->find(static_cast<int>(index));
      if (found != options_.parameters->end()) return compute(layer, inputs, found->second, options_.plain);
    }
    return compute(layer, inputs, load_parameters(layer, file_), options_.plain);
  }

  void free_spent(const Layer& layer, std::size_t index) {
    for (const auto* list : {&layer.inputs, &layer.outputs}) {
      for (const int value : *list) {
        if (lifetimes_.is_spent(value, index)) values_[static_cast<std::size_t>(value)].reset();
      }
    }
  }

  void count_bytes() {
    if (options_.most_bytes == nullptr) return;
    std::size_t bytes = 0;
    for (const auto& value : values_) bytes += value ? value->count() * sizeof(double) : 0;
    *options_.most_bytes = std::max(*options_.most_bytes, bytes);
  }

  const Model& model_;
  const FrameworkModel& file_;
  const Lifetimes& lifetimes_;
  const InterpretOptions& options_;
  std::vector<std::optional<Array>> values_;
};

}  // namespace

Array load_parameter(const Parameter& parameter, const FrameworkModel& file) {
  if (parameter.terms.empty()) {
    Array constant(pattern_shape(parameter.canonical, parameter.sizes));
    std::ranges::fill(constant.data, parameter.constant);
    return constant;
  }
  Array sum = load_term(parameter, parameter.terms[0], file);
  for (std::size_t k = 1; k < parameter.terms.size(); ++k) {
    const Array more = load_term(parameter, parameter.terms[k], file);
    for (std::size_t i = 0; i < more.count(); ++i) sum.data[i] += more.data[i];
  }
  return sum;
}

LayerParameters load_parameters(const Layer& layer, const FrameworkModel& file) {
  LayerParameters loaded;
  for (const auto& parameter : layer.parameters) {
    if (!parameter.bookkeeping) loaded.emplace(parameter.name, load_parameter(parameter, file));
  }
  return loaded;
}

std::vector<Array> evaluate_layer(const FrameworkModel& file, const Layer& layer,
                                  const std::vector<const Array*>& inputs,
                                  const LayerParameters* parameters) {
  if (parameters != nullptr) return compute(layer, {inputs, {}}, *parameters, false);
  return compute(layer, {inputs, {}}, load_parameters(layer, file), false);
}

std::vector<std::optional<Array>> interpret(const Model& model, const FrameworkModel& file,
                                            const std::vector<Array>& inputs,
                                            const InterpretOptions& options) {
  if (inputs.size() != model.inputs.size())
    throw internal_error("a model was run with another number of inputs");
  const Lifetimes lifetimes(model, options.keep);
  check_memory(model, inputs.empty() || inputs[0].shape.empty() ? 1 : inputs[0].shape[0], lifetimes);
  Run run(model, file, inputs, lifetimes, options);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    try {
      run.run_layer(i);
    } catch (Error& error) {
      throw error.at(where_layer(file.file, layer));
    } catch (const std::bad_alloc&) {
      throw unsupported("there is not enough memory for its output", where_layer(file.file, layer),
                        "use a smaller --input-shape");
    } catch (const std::length_error&) {
      throw unsupported("there is not enough memory for its output", where_layer(file.file, layer),
                        "use a smaller --input-shape");
    } catch (const nlohmann::json::exception& error) {
      throw internal_error("the layer " + layer.name + ": " + error.what());
    }
  }
  return std::move(run).values();
}

}  // namespace tieout
