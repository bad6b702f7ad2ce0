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

// All values together: 4 GiB. A file can ask for a reshape or an upsampling to any size.
constexpr std::uint64_t most_elements = std::uint64_t{1} << 29;

Where where_layer(const FrameworkModel& file, const Layer& layer) {
  Where where;
  where.file = file.file;
  where.layer = layer.name;
  return where;
}

std::vector<int> inverse(const std::vector<int>& order) {
  std::vector<int> out(order.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    out.at(static_cast<std::size_t>(order[k])) = static_cast<int>(k);
  return out;
}

std::vector<double> load_doubles(const LazyTensor& tensor) {
  const std::vector<std::byte> bytes = tensor.load();
  const std::size_t size = size_of(tensor.dtype);
  std::vector<double> values(bytes.size() / size);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = to_double(tensor.dtype, bytes.data() + i * size);
  return values;
}

void add_term(Array& sum, const Parameter& parameter, const Term& term, const FrameworkModel& file) {
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
  std::vector<double> arranged(sum.count(), 0.0);
  const auto loops = arrange(term.pattern, parameter.canonical, parameter.sizes);
  copy_elements(loops, sizeof(double), std::as_bytes(std::span(values)),
                std::as_writable_bytes(std::span(arranged)));
  for (std::size_t i = 0; i < arranged.size(); ++i) sum.data[i] += arranged[i];
}

// Refuses before anything is computed where the shapes are known.
void check_memory(const Model& model, std::int64_t batch) {
  std::uint64_t total = 0;
  for (const auto& value : model.values) {
    std::uint64_t elements = 1;
    for (std::size_t k = 0; k < value.axes.size(); ++k) {
      const std::int64_t size =
          value.axes[k].size == unknown ? std::max<std::int64_t>(batch, 1) : value.axes[k].size;
      elements = checked_mul(elements, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0)))
                     .value_or(most_elements + 1);
    }
    total = checked_add(total, elements).value_or(most_elements + 1);
    if (total > most_elements) {
      Where where;
      where.file = model.file;
      throw unsupported(
          "the values of the layers have more than " + std::to_string(most_elements) + " elements", where,
          "give a smaller --input-shape, or use the framework itself as the witness");
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

void run_layer(const Model& model, const FrameworkModel& file, const Layer& layer,
               std::vector<std::optional<Array>>& values, const LayerParameters* parameters) {
  std::vector<const Array*> inputs;
  for (const int value : layer.inputs) {
    const auto& array = values.at(static_cast<std::size_t>(value));
    if (!array) return;
    inputs.push_back(&*array);
  }
  std::vector<Array> outputs = evaluate_layer(file, layer, inputs, parameters);
  for (std::size_t k = 0; k < std::min(outputs.size(), layer.outputs.size()); ++k) {
    const auto value = static_cast<std::size_t>(layer.outputs[k]);
    check_shape(outputs[k], model.values.at(value));
    values[value] = std::move(outputs[k]);
  }
}

}  // namespace

Array load_parameter(const Parameter& parameter, const FrameworkModel& file) {
  Array sum(pattern_shape(parameter.canonical, parameter.sizes));
  if (parameter.terms.empty()) std::ranges::fill(sum.data, parameter.constant);
  for (const auto& term : parameter.terms) add_term(sum, parameter, term, file);
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
  const LayerKind& kind = kind_named(layer.kind);
  if (!kind.compute) throw internal_error("the layer kind " + layer.kind + " cannot be computed");
  std::vector<Array> canonical;
  canonical.reserve(inputs.size());
  Evaluation evaluation{layer, {}, parameters != nullptr ? *parameters : load_parameters(layer, file)};
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const bool ordered = k < layer.orders.size() && !layer.orders[k].empty();
    if (ordered) canonical.push_back(permuted(*inputs[k], layer.orders[k]));
    evaluation.inputs.push_back(ordered ? &canonical.back() : inputs[k]);
  }
  std::vector<Array> outputs = kind.compute(evaluation);
  if (!outputs.empty() && !layer.output_order.empty()) {
    outputs[0] = permuted(outputs[0], inverse(layer.output_order));
  }
  return outputs;
}

std::vector<std::optional<Array>> interpret(const Model& model, const FrameworkModel& file,
                                            const std::vector<Array>& inputs,
                                            const ParameterOverrides* parameters) {
  if (inputs.size() != model.inputs.size())
    throw internal_error("a model was run with another number of inputs");
  check_memory(model, inputs.empty() || inputs[0].shape.empty() ? 1 : inputs[0].shape[0]);
  std::vector<std::optional<Array>> values(model.values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    values.at(static_cast<std::size_t>(model.inputs[i])) = inputs[i];
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    const LayerParameters* own = nullptr;
    if (parameters != nullptr) {
      const auto found = parameters->find(static_cast<int>(i));
      if (found != parameters->end()) own = &found->second;
    }
    try {
      run_layer(model, file, layer, values, own);
    } catch (Error& error) {
      throw error.at(where_layer(file, layer));
    } catch (const std::bad_alloc&) {
      throw unsupported("there is not enough memory for its output", where_layer(file, layer),
                        "use a smaller --input-shape");
    } catch (const std::length_error&) {
      throw unsupported("there is not enough memory for its output", where_layer(file, layer),
                        "use a smaller --input-shape");
    } catch (const nlohmann::json::exception& error) {
      throw internal_error("the layer " + layer.name + ": " + error.what());
    }
  }
  return values;
}

}  // namespace tieout
