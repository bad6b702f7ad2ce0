#include "verify/tolerance.h"

#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"

namespace tieout {

namespace {

constexpr double least_products = 16;
constexpr double least_float64 = 1e-12;
constexpr double rounded_constants = 1e-6;

double products_of(const Layer& layer) {
  const LayerKind& kind = kind_named(layer.kind);
  return std::max(least_products, kind.fan_in ? kind.fan_in(layer) : 1.0);
}

bool rounds_constants(const Layer& layer) {
  return std::ranges::any_of(kind_named(layer.kind).cases, &Case::keras_rounds_to_float32);
}

}  // namespace

std::vector<double> relative_tolerances(const Model& model, const Precision& precision) {
  const double unit = precision.float64 ? 64 * std::ldexp(1.0, -53) : 4 * std::ldexp(1.0, -24);
  std::vector<double> products(model.values.size(), 0.0);
  std::vector<bool> rounded(model.values.size(), false);
  for (const auto& layer : model.layers) {
    double most = 0;
    bool any_rounded = precision.real_keras && rounds_constants(layer);
    for (const int input : layer.inputs) {
      most = std::max(most, products[static_cast<std::size_t>(input)]);
      any_rounded = any_rounded || rounded[static_cast<std::size_t>(input)];
    }
    for (const int output : layer.outputs) {
      products[static_cast<std::size_t>(output)] = most + products_of(layer);
      rounded[static_cast<std::size_t>(output)] = any_rounded;
    }
  }
  std::vector<double> tolerances;
  for (std::size_t i = 0; i < products.size(); ++i) {
    double tolerance = unit * std::sqrt(std::max(products[i], least_products));
    if (precision.float64) tolerance = std::max(tolerance, least_float64);
    if (rounded[i]) tolerance = std::max(tolerance, rounded_constants);
    tolerances.push_back(tolerance);
  }
  return tolerances;
}

}  // namespace tieout
