#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "layers/shared/attention.h"

namespace tieout {

namespace {

std::size_t index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// x: n s e   kernel: h d e   bias: h d   ->   n h s d
Array project(const Array& x, const Array& kernel, const Array& bias) {
  const std::int64_t batch = x.size(0);
  const std::int64_t steps = x.size(1);
  const std::int64_t features = x.size(2);
  const std::int64_t heads = kernel.size(0);
  const std::int64_t width = kernel.size(1);
  Array y({batch, heads, steps, width});
  std::size_t at = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t s = 0; s < steps; ++s) {
        const double* from = x.data.data() + (n * steps + s) * features;
        for (std::int64_t d = 0; d < width; ++d) {
          const std::int64_t row = h * width + d;
          double sum = bias.data[index(row)];
          for (std::int64_t e = 0; e < features; ++e) sum += kernel.data[index(row * features + e)] * from[e];
          y.data[at++] = sum;
        }
      }
    }
  }
  return y;
}

double dot(const double* a, const double* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

void softmax(std::vector<double>& row) {
  if (row.empty()) return;
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - top);
  for (double& x : row) x /= sum;
}

// Whether step t of the query may see step s.
class Sight {
 public:
  explicit Sight(const Evaluation& e) : causal_(e.flag("causal")) {
    if (!e.layer.settings["window"].is_null()) window_ = e.integer("window");
    if (e.inputs.size() > 3) mask_ = e.inputs[3];
  }

  [[nodiscard]] bool operator()(std::int64_t n, std::int64_t t, std::int64_t s) const {
    if (causal_ && s > t) return false;
    if (window_ > 0 && std::abs(s - t) >= window_) return false;
    if (mask_ == nullptr) return true;
    const auto cell = [](std::int64_t i, std::int64_t size) { return size == 1 ? 0 : i; };
    const std::int64_t row = cell(n, mask_->size(0)) * mask_->size(1) + cell(t, mask_->size(1));
    return mask_->data[index(row * mask_->size(2) + cell(s, mask_->size(2)))] != 0;
  }

 private:
  bool causal_;
  std::int64_t window_ = 0;
  const Array* mask_ = nullptr;
};

// The weights n h t s. q: n h t d   k: n g s d; h / g heads of the query share one of the key. `hides`: a
// query that sees nothing has only weights of 0.
Array weigh(const Array& q, const Array& k, const Sight& sees, bool hides) {
  const std::int64_t heads = q.size(1);
  const std::int64_t steps = k.size(2);
  const std::int64_t width = q.size(3);
  const std::int64_t sharing = heads / k.size(1);
  // What Keras' backends put in the place of a score that does not count.
  constexpr double lowest = -0.7 * std::numeric_limits<double>::max();
  Array all({q.size(0), heads, q.size(2), steps});
  std::vector<double> weights(index(steps));
  for (std::int64_t head = 0; head < q.size(0) * heads; ++head) {
    const std::int64_t n = head / heads;
    const std::int64_t of_key = n * k.size(1) + head % heads / sharing;
    for (std::int64_t t = 0; t < q.size(2); ++t) {
      const double* query = q.data.data() + (head * q.size(2) + t) * width;
      bool blind = true;
      for (std::int64_t s = 0; s < steps; ++s) {
        const double* key = k.data.data() + (of_key * steps + s) * width;
        const double score = dot(query, key, width) / std::sqrt(static_cast<double>(width));
        const bool seen = sees(n, t, s);
        weights[index(s)] = seen ? score : lowest;
        blind = blind && !seen;
      }
      softmax(weights);
      if (hides && blind) std::ranges::fill(weights, 0.0);
      std::ranges::copy(weights, all.data.begin() + (head * q.size(2) + t) * steps);
    }
  }
  return all;
}

// weights: n h t s   v: n g s w   ->   n h t w
Array attend(const Array& weights, const Array& v) {
  const std::int64_t heads = weights.size(1);
  const std::int64_t queries = weights.size(2);
  const std::int64_t steps = v.size(2);
  const std::int64_t width = v.size(3);
  const std::int64_t sharing = heads / v.size(1);
  Array y({weights.size(0), heads, queries, width});
  for (std::int64_t row = 0; row < weights.size(0) * heads * queries; ++row) {
    const std::int64_t head = row / queries;
    const std::int64_t of_value = head / heads * v.size(1) + head % heads / sharing;
    double* into = y.data.data() + row * width;
    for (std::int64_t s = 0; s < steps; ++s) {
      const double* value = v.data.data() + (of_value * steps + s) * width;
      const double weight = weights.data[index(row * steps + s)];
      for (std::int64_t d = 0; d < width; ++d) into[d] += weight * value[d];
    }
  }
  return y;
}

// x: n h t d   kernel: o h d   bias: o   ->   n t o
Array join(const Array& x, const Array& kernel, const Array& bias) {
  const std::int64_t heads = x.size(1);
  const std::int64_t steps = x.size(2);
  const std::int64_t width = x.size(3);
  Array y({x.size(0), steps, kernel.size(0)});
  std::size_t at = 0;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t t = 0; t < steps; ++t) {
      for (std::int64_t o = 0; o < kernel.size(0); ++o) {
        double sum = bias.data[index(o)];
        for (std::int64_t h = 0; h < heads; ++h) {
          sum += dot(x.data.data() + ((n * heads + h) * steps + t) * width,
                     kernel.data.data() + (o * heads + h) * width, width);
        }
        y.data[at++] = sum;
      }
    }
  }
  return y;
}

}  // namespace

std::vector<Array> compute_attention(const Evaluation& e) {
  const Array q = project(*e.inputs[0], e.parameter("query_kernel"), e.parameter("query_bias"));
  const Array k = project(*e.inputs[1], e.parameter("key_kernel"), e.parameter("key_bias"));
  const Array v = project(*e.inputs[2], e.parameter("value_kernel"), e.parameter("value_bias"));
  Array weights = weigh(q, k, Sight(e), e.flag("scores") || e.number("dropout") > 0);
  Array y = attend(weights, v);
  if (e.flag("gate")) {
    const Array gate = project(*e.inputs[0], e.parameter("gate_kernel"), e.parameter("gate_bias"));
    for (std::size_t i = 0; i < y.count(); ++i) y.data[i] /= 1 + std::exp(-gate.data[i]);
  }
  y = join(y, e.parameter("output_kernel"), e.parameter("output_bias"));
  if (!e.flag("scores")) return {std::move(y)};
  return {std::move(y), std::move(weights)};
}

}  // namespace tieout
