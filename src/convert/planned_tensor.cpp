// Executing a plan's entry: the tensor that reads its sources when it is read.

#include <cstring>
#include <utility>

#include "convert/plan.h"
#include "tensor/rearrange.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Adds `more` to `sum` element by element, in the elements' own type.
template <typename T>
void add_elements(std::span<std::byte> sum, Bytes more) {
  for (std::size_t at = 0; at < sum.size(); at += sizeof(T)) {
    T left;
    T right;
    std::memcpy(&left, sum.data() + at, sizeof(T));
    std::memcpy(&right, more.data() + at, sizeof(T));
    left += right;
    std::memcpy(sum.data() + at, &left, sizeof(T));
  }
}

class PlannedSource : public TensorSource {
 public:
  struct Input {
    LazyTensor tensor;
    std::vector<StridedLoop> loops;
  };
  struct Part {
    std::vector<Input> inputs;
    std::vector<StridedLoop> fill;  // for a constant: the elements of the block
    double constant = 0;
  };

  PlannedSource(DType dtype, std::vector<Part> parts) : dtype_(dtype), parts_(std::move(parts)) {}

  void read(std::span<std::byte> out) const override {
    for (const auto& part : parts_) {
      if (part.inputs.empty()) {
        fill(part, out);
        continue;
      }
      copy(part.inputs[0], out);
      for (std::size_t k = 1; k < part.inputs.size(); ++k) add(part.inputs[k], out);
    }
  }

  [[nodiscard]] Bytes view() const override {
    if (parts_.size() != 1 || parts_[0].inputs.size() != 1) return {};
    const auto& only = parts_[0].inputs[0];
    if (only.loops.size() != 1) return {};
    const StridedLoop& loop = only.loops[0];
    const bool identity =
        loop.source_strides == loop.target_strides && loop.source_offset == 0 && loop.target_offset == 0;
    return identity ? only.tensor.source->view() : Bytes{};
  }

 private:
  static void copy_from(const Input& input, std::size_t element, std::span<std::byte> out) {
    const Bytes there = input.tensor.source->view();
    if (!there.empty()) {
      copy_elements(input.loops, element, there, out);
    } else {
      copy_elements(input.loops, element, input.tensor.load(), out);
    }
  }
  void copy(const Input& input, std::span<std::byte> out) const { copy_from(input, size_of(dtype_), out); }

  void add(const Input& input, std::span<std::byte> out) const {
    std::vector<std::byte> term(out.size());
    copy(input, term);
    if (dtype_ == DType::f32) {
      add_elements<float>(out, term);
    } else if (dtype_ == DType::f64) {
      add_elements<double>(out, term);
    } else {
      throw unsupported("a sum of tensors of type " + std::string(to_string(dtype_)) + " is not carried", {},
                        "convert the model to float32 first");
    }
  }

  void fill(const Part& part, std::span<std::byte> out) const {
    std::vector<std::byte> element(size_of(dtype_));
    store_constant(dtype_, part.constant, element.data());
    copy_elements(part.fill, element.size(), element, out);
  }

  DType dtype_;
  std::vector<Part> parts_;
};

const LazyTensor& source_tensor(const FrameworkModel& source, const std::string& name) {
  const LazyTensor* found = source.find_tensor(name);
  if (found == nullptr)
    throw usage_error("the source has no tensor " + name, "see `tieout inspect` for its tensors");
  return *found;
}

}  // namespace

LazyTensor planned_tensor(const PlanEntry& entry, const FrameworkModel& source) {
  std::vector<PlannedSource::Part> parts;
  for (const auto& move : entry.moves) {
    PlannedSource::Part part;
    part.constant = move.constant;
    if (move.sources.empty()) {
      part.fill = arrange(move.to, move.to, entry.sizes);
      for (auto& loop : part.fill) {
        loop.source_offset = 0;
        loop.source_strides.assign(loop.sizes.size(), 0);
      }
    }
    for (std::size_t k = 0; k < move.sources.size(); ++k) {
      const LazyTensor& tensor = source_tensor(source, move.sources[k]);
      const Shape expected = pattern_shape(move.from[k], entry.sizes);
      if (tensor.shape != expected || tensor.dtype != entry.dtype) {
        throw usage_error("the source tensor " + move.sources[k] + " is " +
                          std::string(to_string(tensor.dtype)) + " " + to_string(tensor.shape) +
                          ", the plan needs " + std::string(to_string(entry.dtype)) + " " +
                          to_string(expected));
      }
      part.inputs.push_back({tensor, arrange(move.from[k], move.to, entry.sizes)});
    }
    parts.push_back(std::move(part));
  }
  return {entry.dtype, entry.shape, std::make_shared<PlannedSource>(entry.dtype, std::move(parts)), {}};
}

}  // namespace tieout
