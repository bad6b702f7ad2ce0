#include "layers/shared/pad.h"

#include <algorithm>
#include <numeric>

#include "tieout/error.h"

namespace tieout {

namespace {

// Pads one axis: the array is outer x size x inner.
Array pad_axis(const Array& x, std::size_t axis, const Padding& padding, const std::string& mode,
               double value) {
  Shape shape = x.shape;
  shape[axis] += padding.low + padding.high;
  if (shape[axis] < 0) throw malformed("a cropping is wider than its input");
  Array y(shape);
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= shape[k];
  for (std::size_t k = axis + 1; k < shape.size(); ++k) inner *= shape[k];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t at = 0; at < shape[axis]; ++at) {
      double* into = y.data.data() + (o * shape[axis] + at) * inner;
      const std::int64_t from = padded_from(at - padding.low, x.shape[axis], mode);
      if (from < 0) {
        std::fill(into, into + inner, value);
      } else {
        const double* source = x.data.data() + (o * x.shape[axis] + from) * inner;
        std::copy(source, source + inner, into);
      }
    }
  }
  return y;
}

}  // namespace

std::int64_t padded_from(std::int64_t at, std::int64_t size, const std::string& mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "zeros" || mode == "constant" || size == 0) return -1;
  if (mode == "replicate") return std::clamp<std::int64_t>(at, 0, size - 1);
  if (mode == "circular") return ((at % size) + size) % size;
  if (mode == "reflect" || mode == "symmetric") {
    const std::int64_t border = mode == "symmetric" ? 1 : 0;
    const std::int64_t mirrored = at < 0 ? -at - border : 2 * (size - 1) - at + border;
    if (mirrored >= 0 && mirrored < size) return mirrored;
    throw malformed("a mirrored padding is wider than its input");
  }
  throw internal_error("the padding mode " + mode + " is not known");
}

Array pad_spatial(const Array& x, const Paddings& paddings, const std::string& mode, double value) {
  std::vector<int> order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  return pad_along(x, order, paddings, mode, value);
}

Array pad_along(const Array& x, const std::vector<int>& order, const Paddings& paddings,
                const std::string& mode, double value) {
  Array y;
  const Array* from = &x;
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    if (paddings[k] == Padding{}) continue;
    y = pad_axis(*from, static_cast<std::size_t>(order.at(k + 2)), paddings[k], mode, value);
    from = &y;
  }
  if (from == &x) return x;
  return y;
}

}  // namespace tieout
