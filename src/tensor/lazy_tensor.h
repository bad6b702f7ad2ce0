// A tensor whose elements are read only when somebody asks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace tieout {

// Part of a tensor's bytes: `count` runs of `run` bytes, `stride` bytes apart, the first at `begin`. Which
// elements these are is for the source that made it: indices [first, last) of one of its levels.
struct TensorPart {
  std::uint64_t begin = 0;
  std::uint64_t run = 0;
  std::uint64_t count = 1;
  std::uint64_t stride = 0;
  std::size_t level = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;

  [[nodiscard]] std::uint64_t size() const { return run * count; }
};

// Where the elements come from: a mapped file, a dataset, a plan. Immutable and safe to read from several
// threads unless a source says otherwise.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  // Fills `out`, which has exactly the tensor's byte count, with its elements: row-major, little-endian.
  virtual void read(std::span<std::byte> out) const = 0;

  // Parts that together are the tensor, of at most `most` bytes where the source can be cut so; it is one
  // part otherwise. `size` is the tensor's.
  [[nodiscard]] virtual std::vector<TensorPart> parts(std::uint64_t size, std::uint64_t most) const;
  // Fills `out`, of the part's size, with one of these parts, its runs one after another.
  virtual void read_part(const TensorPart& part, std::span<std::byte> out) const;

  // The same bytes without a copy, where they lie in memory in that order already; empty otherwise.
  [[nodiscard]] virtual Bytes view() const { return {}; }
  // How many bytes view() gives. A source whose view() first compares a checksum answers without that.
  [[nodiscard]] virtual std::uint64_t viewed() const { return view().size(); }
};

struct LazyTensor {
  DType dtype = DType::f32;
  Shape shape;
  std::shared_ptr<const TensorSource> source;
  // Tensors with the same non-empty storage are views of the same memory (tied weights).
  std::string storage;

  // All elements, row-major, little-endian.
  [[nodiscard]] std::vector<std::byte> load() const;
};

struct NamedTensor {
  std::string name;
  LazyTensor tensor;
};

// Elements held in memory. `bytes` must have byte_count(shape, dtype) bytes (Error(internal) otherwise).
LazyTensor make_tensor(DType dtype, Shape shape, std::vector<std::byte> bytes);
// Elements that lie contiguous in memory which `owner` keeps alive (a mapped file).
LazyTensor view_tensor(DType dtype, Shape shape, Bytes bytes, std::shared_ptr<const void> owner);

}  // namespace tieout
