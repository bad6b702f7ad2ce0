#include "verify/tolerance.h"

#include <algorithm>
#include <cmath>

#include "convert/computed_weight.h"
#include "layers/layer_kind.h"

namespace tieout {

namespace {

constexpr double least_products = 16;
constexpr double least_float64 = 1e-12;
constexpr double rounded_constants = 1e-6;
constexpr double float_margin = 4;

double products_of(const Layer& layer) {
  const LayerKind& kind = kind_named(layer.kind);
  return std::max(least_products, kind.fan_in ? kind.fan_in(layer) : 1.0);
}

bool rounds_constants(const Layer& layer) {
  return std::ranges::any_of(kind_named(layer.kind).cases, &Case::keras_rounds_to_float32);
}

// Float64 adds nothing to what the interpreter rounds itself.
double roundoff(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return std::ldexp(1.0, -11);
    case DType::bf16:
      return std::ldexp(1.0, -8);
    case DType::f32:
      return std::ldexp(1.0, -24);
    default:
      return 0;
  }
}

double rounding_of_sum(const Parameter& one, const FrameworkModel& file, const Parameter& several) {
  if (one.terms.size() != 1 || several.terms.size() < 2) return 0;
  const LazyTensor* tensor = file.find_tensor(one.terms[0].tensor);
  return tensor == nullptr ? 0 : roundoff(tensor->dtype);
}

// Of a weight that is computed from others: PyTorch, asked in float64, does not round it as the file that it
// is written to does.
double rounding_of_weights(const Parameter& parameter, const FrameworkModel& file) {
  double most = 0;
  for (const auto& term : parameter.terms) {
    const LazyTensor* tensor = file.find_tensor(term.tensor);
    if (tensor != nullptr && !computed_by(*tensor).empty()) most = std::max(most, roundoff(tensor->dtype));
  }
  return most;
}

double rounding_of_sums(const Layer& left, const FrameworkModel& file_a, const Layer& right,
                        const FrameworkModel& file_b) {
  double most = 0;
  for (const auto& parameter : left.parameters) {
    const auto partner = std::ranges::find(right.parameters, parameter.name, &Parameter::name);
    if (partner == right.parameters.end()) continue;
    most = std::max({most, rounding_of_sum(parameter, file_a, *partner),
                     rounding_of_sum(*partner, file_b, parameter), rounding_of_weights(parameter, file_a),
                     rounding_of_weights(*partner, file_b)});
  }
  return most;
}

}  // namespace

std::map<int, double> stored_sums(const Model& a, const FrameworkModel& file_a, const Model& b,
                                  const FrameworkModel& file_b, const Matching& matching) {
  std::map<int, double> sums;
  for (const auto& pair : matching.layers) {
    const double rounding = rounding_of_sums(a.layers.at(static_cast<std::size_t>(pair.a)), file_a,
                                             b.layers.at(static_cast<std::size_t>(pair.b)), file_b);
    if (rounding > 0) sums[pair.a] = rounding;
  }
  return sums;
}

std::vector<double> relative_tolerances(const Model& model, const Precision& precision) {
  const double unit = precision.float64 ? 64 * std::ldexp(1.0, -53) : float_margin * std::ldexp(1.0, -24);
  std::vector<double> products(model.values.size(), 0.0);
  std::vector<bool> rounded(model.values.size(), false);
  std::vector<double> stored(model.values.size(), 0.0);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    double most = 0;
    const auto sum = precision.stored_sums.find(static_cast<int>(i));
    double most_stored = sum == precision.stored_sums.end() ? 0 : sum->second;
    bool any_rounded = precision.real_keras && rounds_constants(layer);
    for (const int input : layer.inputs) {
      most = std::max(most, products[static_cast<std::size_t>(input)]);
      most_stored = std::max(most_stored, stored[static_cast<std::size_t>(input)]);
      any_rounded = any_rounded || rounded[static_cast<std::size_t>(input)];
    }
    for (const int output : layer.outputs) {
      products[static_cast<std::size_t>(output)] = most + products_of(layer);
      rounded[static_cast<std::size_t>(output)] = any_rounded;
      stored[static_cast<std::size_t>(output)] = most_stored;
    }
  }
  std::vector<double> tolerances;
  for (std::size_t i = 0; i < products.size(); ++i) {
    const double noise = std::sqrt(std::max(products[i], least_products));
    double tolerance = std::max(unit, float_margin * stored[i]) * noise;
    if (precision.float64) tolerance = std::max(tolerance, least_float64);
    if (rounded[i]) tolerance = std::max(tolerance, rounded_constants);
    tolerances.push_back(tolerance);
  }
  return tolerances;
}

}  // namespace tieout
