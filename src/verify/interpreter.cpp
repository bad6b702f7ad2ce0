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

std::vector<double> to_doubles(DType dtype, Bytes bytes) {
  const std::size_t size = size_of(dtype);
  std::vector<double> values(bytes.size() / size);
  if (dtype == DType::f32) {
    widen<float>(bytes, values);
  } else if (dtype == DType::f64) {
    widen<double>(bytes, values);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = to_double(dtype, bytes.data() + i * size);
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
  Array arranged;
  arranged.shape = pattern_shape(parameter.canonical, parameter.sizes);
  std::vector<std::byte> loaded;
  Bytes bytes = tensor->source->view();
  if (bytes.empty()) bytes = loaded = tensor->load();
  const std::uint64_t size = element_count(arranged.shape) * size_of(tensor->dtype);
  if (term.pattern == parameter.canonical && bytes.size() == size) {
    arranged.data = to_doubles(tensor->dtype, bytes);
    return arranged;
  }
  // In the type that they are stored in, which takes less memory than that of the result.
  std::vector<std::byte> turned(size);
  copy_elements(arrange(term.pattern, parameter.canonical, parameter.sizes), size_of(tensor->dtype), bytes,
                turned);
  arranged.data = to_doubles(tensor->dtype, turned);
  return arranged;
}

// For each value, the index of the last layer that reads it, or -1.
std::vector<int> last_readers_of(const Model& model) {
  std::vector<int> readers(model.values.size(), -1);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    for (const int value : model.layers[i].inputs)
      readers.at(static_cast<std::size_t>(value)) = static_cast<int>(i);
  }
  return readers;
}

std::uint64_t elements_of(const Value& value, std::int64_t batch) {
  std::uint64_t elements = 1;
  for (const Axis& axis : value.axes) {
    const std::int64_t size = axis.size == unknown ? std::max<std::int64_t>(batch, 1) : axis.size;
    elements = checked_mul(elements, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0)))
                   .value_or(most_elements + 1);
  }
  return std::min(elements, most_elements + 1);
}

Error too_many_elements(const std::string& file, const Layer& layer) {
  return unsupported("its output and the values that are still needed have more than " +
                         std::to_string(most_elements) + " elements",
                     where_layer(file, layer),
                     "give a smaller --input-shape, or use the framework itself as the witness");
}

// Refuses before anything is computed where the shapes are known. `keep` as in InterpretOptions.
void check_memory(const Model& model, const std::vector<Array>& inputs, const std::set<int>* keep) {
  const std::int64_t batch = inputs.empty() || inputs[0].shape.empty() ? 1 : inputs[0].shape[0];
  const std::vector<int> last_readers = last_readers_of(model);
  std::vector<std::uint64_t> sizes;
  sizes.reserve(model.values.size());
  for (const Value& value : model.values) sizes.push_back(elements_of(value, batch));
  std::uint64_t alive = 0;
  for (const int input : model.inputs) alive += sizes.at(static_cast<std::size_t>(input));
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    for (const int value : layer.outputs) alive += sizes.at(static_cast<std::size_t>(value));
    if (alive > most_elements) throw too_many_elements(model.file, layer);
    std::set<int> ended;
    for (const auto* list : {&layer.inputs, &layer.outputs}) {
      for (const int value : *list) {
        const bool needed = last_readers.at(static_cast<std::size_t>(value)) > static_cast<int>(i);
        if (needed || keep == nullptr || keep->contains(value) || !ended.insert(value).second) continue;
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

}  // namespace

ParameterSource parameters_from(const std::map<int, LayerParameters>& parameters) {
  return [&parameters](int layer) -> std::shared_ptr<const LayerParameters> {
    const auto found = parameters.find(layer);
    if (found == parameters.end()) return nullptr;
    return {std::shared_ptr<void>(), &found->second};  // owned by `parameters`
  };
}

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

Interpretation::Interpretation(const Model& model, const FrameworkModel& file,
                               const std::vector<Array>& inputs, InterpretOptions options)
    : model_(model),
      file_(file),
      options_(std::move(options)),
      values_(model.values.size()),
      sizes_(model.values.size(), 0),
      kept_(model.values.size(), options_.keep == nullptr),
      makers_(model.values.size(), -1),
      last_readers_(last_readers_of(model)) {
  if (inputs.size() != model.inputs.size())
    throw internal_error("a model was run with another number of inputs");
  const std::set<int> none;
  check_memory(model, inputs, &none);
  if (options_.keep != nullptr) {
    for (const int value : *options_.keep) kept_.at(static_cast<std::size_t>(value)) = true;
    options_.keep = nullptr;  // the caller's, who may forget it
  }
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    for (const int value : model.layers[i].outputs)
      makers_.at(static_cast<std::size_t>(value)) = static_cast<int>(i);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto value = static_cast<std::size_t>(model.inputs[i]);
    values_.at(value) = inputs[i];
    alive_ += sizes_[value] = inputs[i].count();
  }
}

const Array* Interpretation::value(int index) {
  while (next_ <= makers_.at(static_cast<std::size_t>(index))) run_next();
  const auto& there = values_[static_cast<std::size_t>(index)];
  return there ? &*there : nullptr;
}

void Interpretation::release(int index) {
  const auto value = static_cast<std::size_t>(index);
  kept_.at(value) = false;
  if (!is_spent(index, next_ - 1)) return;
  values_[value].reset();
  alive_ -= std::exchange(sizes_[value], 0);
}

std::vector<std::optional<Array>> Interpretation::finish() && {
  while (next_ < static_cast<int>(model_.layers.size())) run_next();
  return std::move(values_);
}

void Interpretation::run_next() {
  const int index = next_++;
  const Layer& layer = model_.layers[static_cast<std::size_t>(index)];
  try {
    run_layer(layer, index);
  } catch (Error& error) {
    throw error.at(where_layer(file_.file, layer));
  } catch (const std::bad_alloc&) {
    throw unsupported("there is not enough memory for its output", where_layer(file_.file, layer),
                      "use a smaller --input-shape");
  } catch (const std::length_error&) {
    throw unsupported("there is not enough memory for its output", where_layer(file_.file, layer),
                      "use a smaller --input-shape");
  } catch (const nlohmann::json::exception& error) {
    throw internal_error("the layer " + layer.name + ": " + error.what());
  }
}

void Interpretation::run_layer(const Layer& layer, int index) {
  std::vector<const Array*> inputs;
  std::vector<Array*> spent;
  for (const int value : layer.inputs) {
    auto& array = values_.at(static_cast<std::size_t>(value));
    if (!array) return;
    const bool once = std::ranges::count(layer.inputs, value) == 1;
    inputs.push_back(&*array);
    spent.push_back(once && is_spent(value, index) ? &*array : nullptr);
  }
  std::vector<Array> outputs = outputs_of(layer, index, inputs, spent);
  for (std::size_t k = 0; k < std::min(outputs.size(), layer.outputs.size()); ++k) {
    const auto value = static_cast<std::size_t>(layer.outputs[k]);
    check_shape(outputs[k], model_.values.at(value));
    values_[value] = std::move(outputs[k]);
  }
  count(layer);
  free_spent(layer, index);
}

std::vector<Array> Interpretation::outputs_of(const Layer& layer, int index,
                                              const std::vector<const Array*>& inputs,
                                              const std::vector<Array*>& spent) const {
  const auto given = options_.parameters ? options_.parameters(index) : nullptr;
  if (given) return compute(layer, {inputs, spent}, *given, options_.plain);
  return compute(layer, {inputs, spent}, load_parameters(layer, file_), options_.plain);
}

bool Interpretation::is_spent(int value, int layer) const {
  const auto at = static_cast<std::size_t>(value);
  return !kept_[at] && last_readers_[at] <= layer;
}

// A layer may have left its inputs to its outputs.
void Interpretation::count(const Layer& layer) {
  for (const auto* list : {&layer.inputs, &layer.outputs}) {
    for (const int value : *list) {
      const auto& array = values_[static_cast<std::size_t>(value)];
      std::size_t& size = sizes_[static_cast<std::size_t>(value)];
      alive_ -= size;
      alive_ += size = array ? array->count() : 0;
    }
  }
  if (options_.most_bytes != nullptr)
    *options_.most_bytes = std::max(*options_.most_bytes, alive_ * sizeof(double));
  if (alive_ > most_elements) throw too_many_elements(file_.file, layer);
}

void Interpretation::free_spent(const Layer& layer, int index) {
  for (const auto* list : {&layer.inputs, &layer.outputs}) {
    for (const int value : *list) {
      if (!is_spent(value, index)) continue;
      values_[static_cast<std::size_t>(value)].reset();
      alive_ -= std::exchange(sizes_[static_cast<std::size_t>(value)], 0);
    }
  }
}

std::vector<std::optional<Array>> interpret(const Model& model, const FrameworkModel& file,
                                            const std::vector<Array>& inputs,
                                            const InterpretOptions& options) {
  check_memory(model, inputs, options.keep);
  return Interpretation(model, file, inputs, options).finish();
}

}  // namespace tieout
