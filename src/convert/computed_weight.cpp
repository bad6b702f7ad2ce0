#include "convert/computed_weight.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "tieout/error.h"

namespace tieout {

namespace {

// A tensor as cells (outside, axis, inside) along one axis: element (o, k, i) stands at
// (o x size + k) x inner + i.
struct Along {
  std::size_t size = 1;
  std::size_t inner = 1;

  Along(const Shape& shape, std::size_t axis) : size(static_cast<std::size_t>(shape.at(axis))) {
    for (std::size_t k = axis + 1; k < shape.size(); ++k) inner *= static_cast<std::size_t>(shape[k]);
  }
  [[nodiscard]] std::size_t cell(std::size_t element) const { return element / inner % size; }
  // Of an element within its cell, counted over the other axes in their order.
  [[nodiscard]] std::size_t place(std::size_t element) const {
    return element / (inner * size) * inner + element % inner;
  }
};

class ComputedWeight : public TensorSource {
 public:
  explicit ComputedWeight(LazyTensor weight) : weight_(std::move(weight)) {}

  void read(std::span<std::byte> out) const override {
    if (out.size() != byte_count(weight_.shape, weight_.dtype))
      throw internal_error("a tensor was read into a buffer of another size");
    weight_.source->read(out);
    std::vector<double> numbers = numbers_of(weight_.dtype, out);
    scale(numbers);
    const std::size_t size = size_of(weight_.dtype);
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const auto single = static_cast<float>(numbers[k]);
      const void* element = weight_.dtype == DType::f32 ? static_cast<const void*>(&single) : &numbers[k];
      std::memcpy(out.data() + k * size, element, size);
    }
  }

 protected:
  virtual void scale(std::vector<double>& numbers) const = 0;

  static std::vector<double> numbers_of(const LazyTensor& tensor) {
    return numbers_of(tensor.dtype, tensor.load());
  }
  [[nodiscard]] const Shape& shape() const { return weight_.shape; }

 private:
  static std::vector<double> numbers_of(DType dtype, std::span<const std::byte> bytes) {
    const std::size_t size = size_of(dtype);
    std::vector<double> numbers(bytes.size() / size);
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = to_double(dtype, bytes.data() + k * size);
    return numbers;
  }

  LazyTensor weight_;
};

class WeightNorm final : public ComputedWeight {
 public:
  WeightNorm(LazyTensor g, LazyTensor v, std::optional<std::size_t> axis)
      : ComputedWeight(std::move(v)), g_(std::move(g)), axis_(axis) {}

 private:
  void scale(std::vector<double>& numbers) const override {
    std::vector<double> factors = numbers_of(g_);
    std::vector<double> squares(factors.size(), 0.0);
    const Along along = axis_ ? Along(shape(), *axis_) : Along({1}, 0);
    for (std::size_t k = 0; k < numbers.size(); ++k) squares.at(along.cell(k)) += numbers[k] * numbers[k];
    for (std::size_t k = 0; k < factors.size(); ++k) factors[k] /= std::sqrt(squares[k]);
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] *= factors[along.cell(k)];
  }

  LazyTensor g_;
  std::optional<std::size_t> axis_;  // nothing: one norm for all
};

class SpectralNorm final : public ComputedWeight {
 public:
  SpectralNorm(LazyTensor weight, LazyTensor u, LazyTensor v, std::size_t axis)
      : ComputedWeight(std::move(weight)), u_(std::move(u)), v_(std::move(v)), axis_(axis) {}

 private:
  void scale(std::vector<double>& numbers) const override {
    const std::vector<double> u = numbers_of(u_);
    const std::vector<double> v = numbers_of(v_);
    const Along along(shape(), axis_);
    double sigma = 0;
    for (std::size_t k = 0; k < numbers.size(); ++k)
      sigma += u.at(along.cell(k)) * numbers[k] * v.at(along.place(k));
    for (double& number : numbers) number /= sigma;
  }

  LazyTensor u_;
  LazyTensor v_;
  std::size_t axis_;
};

bool is_one_float_type(std::initializer_list<const LazyTensor*> tensors) {
  const DType dtype = (*tensors.begin())->dtype;
  return (dtype == DType::f32 || dtype == DType::f64) &&
         std::ranges::all_of(tensors, [&](const LazyTensor* tensor) { return tensor->dtype == dtype; });
}

}  // namespace

std::optional<LazyTensor> weight_of_weight_norm(const LazyTensor& g, const LazyTensor& v) {
  if (!is_one_float_type({&v, &g}) || v.shape.empty() || element_count(v.shape) == 0) return std::nullopt;
  if (!g.shape.empty() && g.shape.size() != v.shape.size()) return std::nullopt;
  std::optional<std::size_t> axis;
  for (std::size_t k = 0; k < g.shape.size(); ++k) {
    if (g.shape[k] == 1) continue;
    if (axis || g.shape[k] != v.shape[k]) return std::nullopt;
    axis = k;
  }
  return LazyTensor{v.dtype, v.shape, std::make_shared<WeightNorm>(g, v, axis), {}};
}

std::optional<LazyTensor> weight_of_spectral_norm(const LazyTensor& weight, const LazyTensor& u,
                                                  const LazyTensor& v, std::size_t axis) {
  const Shape& shape = weight.shape;
  if (!is_one_float_type({&weight, &u, &v}) || axis >= shape.size()) return std::nullopt;
  const std::uint64_t count = element_count(shape);
  if (count == 0 || u.shape != Shape{shape[axis]}) return std::nullopt;
  if (v.shape != Shape{static_cast<std::int64_t>(count) / shape[axis]}) return std::nullopt;
  return LazyTensor{weight.dtype, shape, std::make_shared<SpectralNorm>(weight, u, v, axis), {}};
}

std::string computed_by(const LazyTensor& tensor) {
  if (dynamic_cast<const WeightNorm*>(tensor.source.get()) != nullptr) return "weight_norm";
  if (dynamic_cast<const SpectralNorm*>(tensor.source.get()) != nullptr) return "spectral_norm";
  return {};
}

}  // namespace tieout
