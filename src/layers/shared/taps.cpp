#include "layers/shared/taps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tieout/error.h"

namespace tieout {

namespace {

// PyTorch rounds the position to float32 before it takes the floor
// (aten/src/ATen/native/UpSample.h, nearest_neighbor_compute_source_index).
std::int64_t nearest_cell(double position, std::int64_t size) {
  return std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(position))), size - 1);
}

std::vector<Tap> linear(double position, std::int64_t size) {
  const double at = std::clamp(position, 0.0, static_cast<double>(size - 1));
  const auto low = static_cast<std::int64_t>(at);
  const double part = at - static_cast<double>(low);
  if (part == 0) return {{low, 1}};
  return {{low, 1 - part}, {low + 1, part}};
}

// The cubic convolution of Keys, at a distance.
double cubic_weight(double distance, double a) {
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

// The border cells stand for those behind them: their weights add up.
std::vector<Tap> cubic(double position, std::int64_t size) {
  const double low = std::floor(position);
  std::vector<Tap> all;
  for (int k = -1; k <= 2; ++k) {
    const auto from = std::clamp<std::int64_t>(static_cast<std::int64_t>(low) + k, 0, size - 1);
    const double weight = cubic_weight(position - low - k, -0.75);
    if (weight == 0) continue;
    if (!all.empty() && all.back().from == from) {
      all.back().weight += weight;
    } else {
      all.push_back({from, weight});
    }
  }
  return all;
}

struct Kernel {
  double radius;
  double (*weight)(double distance);
};

template <int radius>
double lanczos(double distance) {
  if (distance == 0) return 1;
  if (std::abs(distance) >= radius) return 0;
  const double x = std::numbers::pi * distance;
  return radius * std::sin(x) * std::sin(x / radius) / (x * x);
}

Kernel kernel_of(const std::string& mode) {
  if (mode == "linear") return {1, [](double d) { return std::max(1 - std::abs(d), 0.0); }};
  if (mode == "keys") return {2, [](double d) { return cubic_weight(d, -0.5); }};
  if (mode == "lanczos3") return {3, lanczos<3>};
  if (mode == "lanczos5") return {5, lanczos<5>};
  throw internal_error("the interpolation " + mode + " is not known");
}

// Cells under a kernel around the position, weighted so that they sum to 1
// (tensorflow/core/kernels/image/scale_and_translate_op.cc, ComputeSpansCore).
std::vector<Tap> under_kernel(const Kernel& kernel, double centre, double scale, std::int64_t size) {
  const double reach = kernel.radius * scale;
  const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(centre - reach - 0.5)), 0);
  const auto last =
      std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(centre + reach - 0.5)), size - 1);
  std::vector<Tap> all;
  double sum = 0;
  for (std::int64_t from = first; from <= last; ++from) {
    const double weight = kernel.weight((static_cast<double>(from) + 0.5 - centre) / scale);
    if (weight != 0) all.push_back({from, weight});
    sum += weight;
  }
  for (Tap& tap : all) tap.weight /= sum;
  return all;
}

double position_of(const Sampling& sampling, std::int64_t cell, std::int64_t size, std::int64_t out,
                   double ratio) {
  if (!sampling.align_corners) return (static_cast<double>(cell) + 0.5) * ratio - 0.5;
  if (out == 1) return 0;
  return static_cast<double>(cell) * static_cast<double>(size - 1) / static_cast<double>(out - 1);
}

std::vector<Tap> taps_of(const Sampling& sampling, std::int64_t cell, std::int64_t size, std::int64_t out,
                         double ratio) {
  const auto at = static_cast<double>(cell);
  if (sampling.mode == "nearest") return {{nearest_cell(at * ratio, size), 1}};
  if (sampling.mode == "nearest-exact") return {{nearest_cell((at + 0.5) * ratio, size), 1}};
  const double position = position_of(sampling, cell, size, out, ratio);
  if (sampling.mode == "linear" && !sampling.antialias) return linear(position, size);
  if (sampling.mode == "cubic") return cubic(position, size);
  return under_kernel(kernel_of(sampling.mode), position + 0.5,
                      sampling.antialias ? std::max(ratio, 1.0) : 1.0, size);
}

bool copies(const Taps& taps) {
  return std::ranges::all_of(taps, [](const auto& cell) { return cell.size() == 1 && cell[0].weight == 1; });
}

}  // namespace

Taps resampling(const Sampling& sampling, std::int64_t size, std::int64_t out, double ratio) {
  Taps taps;
  for (std::int64_t cell = 0; cell < out; ++cell) taps.push_back(taps_of(sampling, cell, size, out, ratio));
  return taps;
}

bool rounds_alike(const Sampling& sampling, std::int64_t size, std::int64_t out, double ratio) {
  if (!sampling.mode.starts_with("nearest")) return true;
  const auto step = static_cast<float>(ratio);
  const float shift = sampling.mode == "nearest" ? 0.0F : 0.5F;
  const auto taps = resampling(sampling, size, out, ratio);
  for (std::int64_t cell = 0; cell < out; ++cell) {
    const auto rounded = static_cast<std::int64_t>(std::floor((static_cast<float>(cell) + shift) * step));
    if (std::min(rounded, size - 1) != taps[static_cast<std::size_t>(cell)][0].from) return false;
  }
  return true;
}

Array apply_taps(const Array& x, std::size_t axis, const Taps& taps) {
  Shape shape = x.shape;
  shape[axis] = static_cast<std::int64_t>(taps.size());
  Array y(shape);
  std::size_t outer = 1;
  std::size_t inner = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= static_cast<std::size_t>(shape[k]);
  for (std::size_t k = axis + 1; k < shape.size(); ++k) inner *= static_cast<std::size_t>(shape[k]);
  const auto size = static_cast<std::size_t>(x.shape[axis]);
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t cell = 0; cell < taps.size(); ++cell) {
      double* into = y.data.data() + (o * taps.size() + cell) * inner;
      for (const Tap& tap : taps[cell]) {
        const double* from = x.data.data() + (o * size + static_cast<std::size_t>(tap.from)) * inner;
        for (std::size_t i = 0; i < inner; ++i) into[i] += tap.weight * from[i];
      }
    }
  }
  return y;
}

void add_keras_take(Lowerer& lowerer, std::size_t axis, const Json& indices, const std::string& helper) {
  FrameworkNode node;
  node.class_name = "Take";
  node.module = "keras.src.ops.numpy";
  node.settings = {
      {"axis", axis}, {"args", Json::array({{{"input", 0}}, indices})}, {"kwargs", Json::object()}};
  lowerer.add_node(std::move(node), helper);
}

void add_keras_taps(Lowerer& lowerer, std::size_t axis, const Taps& taps, const std::string& helper) {
  std::size_t most = 0;
  for (const auto& cell : taps) most = std::max(most, cell.size());
  Json indices = Json::array();
  Json weights = Json::array();
  for (const auto& cell : taps) {
    Json from = Json::array();
    Json weight = Json::array();
    for (std::size_t k = 0; k < most; ++k) {
      const Tap tap = k < cell.size() ? cell[k] : Tap{cell.back().from, 0};
      from.push_back(tap.from);
      weight.push_back(tap.weight);
    }
    indices.push_back(copies(taps) ? from[0] : from);
    weights.push_back(weight);
  }
  if (copies(taps)) {
    add_keras_take(lowerer, axis, indices, helper);
    return;
  }
  add_keras_take(lowerer, axis, indices, helper.empty() ? "taps" : helper + "_taps");
  add_keras_weighted_sum(lowerer, axis, weights, helper);
}

std::string weighted_sum_equation(std::size_t rank, std::size_t axis) {
  const std::string all = std::string("abcdefgh").substr(0, rank);
  std::string left = all;
  left.erase(axis + 1, 1);
  return all + "," + all.substr(axis, 2) + "->" + left;
}

void add_keras_weighted_sum(Lowerer& lowerer, std::size_t axis, const Json& weights,
                            const std::string& helper) {
  FrameworkNode node;
  node.class_name = "Einsum";
  node.module = "keras.src.ops.numpy";
  const Json constant = {{"class_name", "__numpy__"}, {"config", {{"value", weights}, {"dtype", "float32"}}}};
  node.settings = {{"subscripts", weighted_sum_equation(lowerer.axes().size(), axis)},
                   {"args", Json::array({{{"input", 0}}, constant})},
                   {"kwargs", Json::object()}};
  lowerer.add_node(std::move(node), helper);
}

}  // namespace tieout
