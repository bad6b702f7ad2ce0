// Executing a plan's entry: the tensor that reads its sources when it is read.

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "convert/plan.h"
#include "tensor/loop_cut.h"
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

  [[nodiscard]] std::vector<TensorPart> parts(std::uint64_t size, std::uint64_t most) const override {
    std::vector<TensorPart> cut_parts;
    if (const Input* only = only_input()) cut_parts = cut(only->loops.front(), size_of(dtype_), most);
    if (!cut_parts.empty()) return cut_parts;
    return std::ranges::all_of(parts_, can_be_cut) ? slabs(size, most) : TensorSource::parts(size, most);
  }

  void read_part(const TensorPart& part, std::span<std::byte> out) const override {
    if (part.last == 0) return read(out);
    if (part.level == slab) return read_slab(part, out);
    const Input& only = *only_input();
    copy_elements({loop_of(part, only.loops.front())}, size_of(dtype_), only.tensor.source->view(), out);
  }

  [[nodiscard]] Bytes view() const override {
    if (viewed() == 0) return {};
    const Input& only = *only_input();
    const auto offset = static_cast<std::uint64_t>(only.loops.front().source_offset) * size_of(dtype_);
    return only.tensor.source->view().subspan(offset, viewed());
  }

  // Where the elements lie in the target's order already.
  [[nodiscard]] std::uint64_t viewed() const override {
    const Input* only = only_input();
    if (only == nullptr) return 0;
    const StridedLoop& loop = only->loops.front();
    const bool in_order = loop.sizes.empty() || (loop.sizes.size() == 1 && loop.source_strides[0] == 1);
    if (!in_order || loop.target_offset != 0) return 0;
    return static_cast<std::uint64_t>(loop.sizes.empty() ? 1 : loop.sizes[0]) * size_of(dtype_);
  }

 private:
  // The level of a part that is a run of the target's elements [first, last).
  static constexpr std::size_t slab = std::numeric_limits<std::size_t>::max();
  // Larger ones waste less of the source's cache lines at their ends.
  static constexpr std::uint64_t slab_size = std::uint64_t{16} << 20;

  static bool can_be_cut(const Part& part) {
    return part.inputs.empty() || (part.inputs.size() == 1 && part.inputs[0].tensor.source->viewed() > 0);
  }

  [[nodiscard]] std::vector<TensorPart> slabs(std::uint64_t size, std::uint64_t most) const {
    const std::uint64_t element = size_of(dtype_);
    const std::uint64_t step = std::max(std::min(most, slab_size) / element, std::uint64_t{1}) * element;
    std::vector<TensorPart> made;
    for (std::uint64_t begin = 0; begin < size; begin += step) {
      const std::uint64_t run = std::min(step, size - begin);
      made.push_back({.begin = begin,
                      .run = run,
                      .count = 1,
                      .stride = run,
                      .level = slab,
                      .first = static_cast<std::int64_t>(begin / element),
                      .last = static_cast<std::int64_t>((begin + run) / element)});
    }
    return made;
  }

  void read_slab(const TensorPart& part, std::span<std::byte> out) const {
    for (const Part& one : parts_) {
      const std::vector<std::byte> element = constant_of(one);
      const Bytes source = one.inputs.empty() ? Bytes(element) : one.inputs[0].tensor.source->view();
      const Rearrangement move(one.inputs.empty() ? one.fill : one.inputs[0].loops, size_of(dtype_));
      move.run_part(source, part.first, part.last, out);
    }
  }

  // Where the tensor is one loop over one source that lies in memory; its levels are those of `cut`.
  [[nodiscard]] const Input* only_input() const {
    if (parts_.size() != 1 || parts_[0].inputs.size() != 1) return nullptr;
    const Input& only = parts_[0].inputs[0];
    return only.loops.size() == 1 && only.tensor.source->viewed() > 0 ? &only : nullptr;
  }

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

  [[nodiscard]] std::vector<std::byte> constant_of(const Part& part) const {
    std::vector<std::byte> element(size_of(dtype_));
    store_constant(dtype_, part.constant, element.data());
    return element;
  }

  void fill(const Part& part, std::span<std::byte> out) const {
    copy_elements(part.fill, size_of(dtype_), constant_of(part), out);
  }

  DType dtype_;
  std::vector<Part> parts_;
};

// With as few levels as can be, outermost first.
std::vector<StridedLoop> arranged(const Pattern& from, const Pattern& to, const AxisSizes& sizes) {
  std::vector<StridedLoop> loops;
  for (const StridedLoop& loop : arrange(from, to, sizes)) loops.push_back(fused(loop));
  return loops;
}

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
      part.inputs.push_back({tensor, arranged(move.from[k], move.to, entry.sizes)});
    }
    parts.push_back(std::move(part));
  }
  return {entry.dtype, entry.shape, std::make_shared<PlannedSource>(entry.dtype, std::move(parts)), {}};
}

}  // namespace tieout
