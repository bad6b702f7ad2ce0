#include "verify/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/layout.h"

namespace tieout {

namespace {

bool is_same(double x, double y) {
  return x == y || (std::isnan(x) && std::isnan(y));
}

}  // namespace

double Comparison::max_rel() const {
  if (max_abs == 0) return 0;
  return magnitude == 0 ? std::numeric_limits<double>::infinity() : max_abs / magnitude;
}

Comparison compare(const Array& a, const Axes& axes_a, const Array& b, const Axes& axes_b, double relative) {
  Comparison result;
  result.max_abs = std::numeric_limits<double>::infinity();
  const auto moved = to_layout(b, axes_b, axes_a);
  if (!moved) {
    result.note = "the axes do not correspond: " + to_pattern(axes_a) + " and " + to_pattern(axes_b);
    return result;
  }
  if (moved->shape != a.shape) {
    result.note = "the shapes differ: " + to_string(a.shape) + " and " + to_string(moved->shape);
    return result;
  }
  result.max_abs = 0;
  std::size_t special = 0;
  for (std::size_t i = 0; i < a.count(); ++i) {
    const double x = a.data[i];
    const double y = moved->data[i];
    if (std::isfinite(x)) result.magnitude = std::max(result.magnitude, std::abs(x));
    if (std::isfinite(y)) result.magnitude = std::max(result.magnitude, std::abs(y));
    if (!std::isfinite(x) || !std::isfinite(y)) {
      ++special;
      if (!is_same(x, y)) result.max_abs = std::numeric_limits<double>::infinity();
    } else {
      result.max_abs = std::max(result.max_abs, std::abs(x - y));
    }
  }
  if (special > 0) {
    result.note = std::to_string(special) + " elements are NaN or infinite" +
                  (std::isinf(result.max_abs) ? "" : ", the same on both sides");
  }
  result.ties_out = result.max_abs <= relative * result.magnitude;
  return result;
}

}  // namespace tieout
