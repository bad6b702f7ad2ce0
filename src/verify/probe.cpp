#include "verify/probe.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "tieout/error.h"
#include "verify/random.h"

namespace tieout {

namespace {

constexpr std::int64_t batch = 2;
constexpr double small = 0.01;
constexpr double large = 8;
// Sizes for axes that a model leaves open, each another one: large enough for most networks, and not so even
// that every stride divides them.
constexpr std::int64_t open_size = 34;
constexpr std::int64_t open_step = 3;
// What an integer input without embedding may be; such inputs are counts or flags.
constexpr std::int64_t small_integers = 2;

const Value& input_of(const Model& model, std::size_t i) {
  return model.values.at(static_cast<std::size_t>(model.inputs.at(i)));
}

Shape probe_shape(const Model& model, std::size_t i) {
  const Value& value = input_of(model, i);
  Shape shape = shape_of(value.axes);
  if (!shape.empty() && shape[0] == unknown) shape[0] = batch;
  // Any size will do along an axis that is neither channels nor features: the file says None of it.
  std::int64_t size = open_size;
  for (std::size_t k = 1; k < shape.size(); ++k) {
    const bool counted = value.axes[k].name == "c" || value.axes[k].name == "f";
    if (shape[k] != unknown || counted) continue;
    shape[k] = size;
    size += open_step;
  }
  if (!value.known || std::ranges::find(shape, unknown) != shape.end()) {
    throw usage_error("the shape of the input " + model.input_names.at(i) + " of " + model.file +
                          " is not known" + (value.known ? ": " + to_string(shape_of(value.axes)) : ""),
                      "give it with --input-shape, without the batch and in that model's layout, or give "
                      "inputs with --probe");
  }
  return shape;
}

bool is_integer(DType dtype) {
  return dtype <= DType::i64;
}

// Layers whose output is an index, their input any number.
bool makes_indices(const Layer& layer) {
  return layer.kind == "discretization" || layer.kind == "integer_lookup";
}

// Numbers that a lookup of the input knows, and one that it does not; nothing where no lookup reads it.
std::vector<double> known_numbers(const Model& model, int input_value) {
  const auto lookup = std::ranges::find_if(model.layers, [&](const Layer& layer) {
    return layer.kind == "integer_lookup" && layer.inputs == std::vector<int>{input_value};
  });
  if (lookup == model.layers.end()) return {};
  auto numbers = lookup->settings.at("vocabulary").get<std::vector<double>>();
  if (!lookup->settings.at("mask").is_null()) numbers.push_back(lookup->settings["mask"].get<double>());
  numbers.push_back(*std::ranges::max_element(numbers) + 1);
  return numbers;
}

}  // namespace

std::int64_t embedding_size(const Model& model, int input_value) {
  // Behind layers that only move elements, the values are still the input's.
  std::set<int> same{input_value};
  std::int64_t smallest = 0;
  const auto take = [&](std::int64_t size) { smallest = smallest == 0 ? size : std::min(smallest, size); };
  for (const auto& layer : model.layers) {
    if (layer.inputs.empty() || !same.contains(layer.inputs[0])) continue;
    if (layer.kind == "embedding" && !layer.parameters.empty()) {
      const Parameter& table = layer.parameters.front();
      take(pattern_shape(table.canonical, table.sizes).at(0));
    } else if (layer.kind == "category_encoding") {
      take(layer.settings.at("tokens").get<std::int64_t>());
    } else if (layer.inputs.size() > 1 || makes_indices(layer)) {
      continue;
    } else if (layer.parameters.empty()) {
      same.insert(layer.outputs.begin(), layer.outputs.end());
    }
  }
  return smallest;
}

std::vector<Array> random_probe(const Model& model, int number, std::uint64_t seed) {
  Random random(seed + static_cast<std::uint64_t>(number));
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    Array array(probe_shape(model, i));
    const std::int64_t indices = embedding_size(model, model.inputs[i]);
    const std::int64_t limit = indices > 0                            ? indices
                               : is_integer(input_of(model, i).dtype) ? small_integers
                                                                      : 0;
    const std::vector<double> known = known_numbers(model, model.inputs[i]);
    for (double& element : array.data) {
      if (!known.empty()) {
        element = known[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(known.size())))];
      } else if (limit > 0) {
        element = static_cast<double>(random.below(limit));
      } else if (number % 3 == 1) {
        element = random.uniform();
      } else {
        element = random.normal() * (number % 3 == 2 ? small : 1.0);
      }
    }
    inputs.push_back(std::move(array));
  }
  return inputs;
}

std::vector<Array> widened(const Model& model, std::vector<Array> probe) {
  for (std::size_t i = 0; i < probe.size(); ++i) {
    if (is_integer(input_of(model, i).dtype) || embedding_size(model, model.inputs[i]) > 0) continue;
    for (double& element : probe[i].data) element *= large;
  }
  return probe;
}

std::vector<Array> given_probe(const Model& model, const std::vector<NamedTensor>& tensors) {
  if (tensors.size() != model.inputs.size()) {
    throw usage_error("the probe holds " + std::to_string(tensors.size()) + " arrays, " + model.file +
                          " has " + std::to_string(model.inputs.size()) + " inputs",
                      "give one array for each input of the first model");
  }
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    auto found = std::ranges::find(tensors, model.input_names[i], &NamedTensor::name);
    if (found == tensors.end())
      found = std::ranges::find(tensors, "input/" + std::to_string(i), &NamedTensor::name);
    const LazyTensor& tensor = found != tensors.end() ? found->tensor : tensors[i].tensor;
    const Value& value = input_of(model, i);
    bool fits = !value.known || tensor.shape.size() == value.axes.size();
    for (std::size_t k = 0; fits && value.known && k < tensor.shape.size(); ++k) {
      fits = value.axes[k].size == unknown || value.axes[k].size == tensor.shape[k];
    }
    if (!fits) {
      throw usage_error("the probe for the input " + model.input_names[i] + " has the shape " +
                            to_string(tensor.shape) + ", the model takes " + to_string(shape_of(value.axes)),
                        "the batch comes first, and the layout is that of " + model.file);
    }
    inputs.push_back(to_array(tensor));
  }
  return inputs;
}

Array to_array(const LazyTensor& tensor) {
  Array array(tensor.shape);
  const auto bytes = tensor.load();
  const std::size_t size = size_of(tensor.dtype);
  for (std::size_t i = 0; i < array.count(); ++i)
    array.data[i] = to_double(tensor.dtype, bytes.data() + i * size);
  return array;
}

LazyTensor to_tensor(const Array& array) {
  std::vector<std::byte> bytes(array.count() * sizeof(double));
  // memcpy from the null pointer of an empty array is undefined.
  if (!bytes.empty()) std::memcpy(bytes.data(), array.data.data(), bytes.size());
  return make_tensor(DType::f64, array.shape, std::move(bytes));
}

}  // namespace tieout
