// What chunks went through before they were stored (filter pipeline messages; specification, IV.A.2.l).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "containers/hdf5/read/object_header.h"

namespace tieout::hdf5 {

struct Filter {
  enum class Kind { shuffle, deflate, fletcher32 };
  Kind kind = Kind::deflate;
  std::uint32_t element_size = 0;  // shuffle's
};

// In the order in which they were applied.
using Filters = std::vector<Filter>;

// Error(unsupported) for filters other than deflate, shuffle and fletcher32, each once: those are plug-ins.
Filters read_filters(const Image& image, const Message& message, const std::string& path);

// Whether `stored` bytes can hold a chunk of `size` bytes. Bit k of `mask` says that filter k was left out.
bool can_hold(const Filters& filters, std::uint32_t mask, std::uint64_t stored, std::uint64_t size);

// Undoes filters, chunk after chunk.
class Unfilter {
 public:
  // `size`: of a chunk, in bytes. `filters` must live as long as this.
  Unfilter(const Filters& filters, std::uint64_t size) : filters_(filters), size_(size) {}

  // The chunk's bytes, which are valid until the next call. Error(malformed) at `where` when they cannot be
  // had.
  Bytes undo(Bytes stored, std::uint32_t mask, const Where& where);

 private:
  Bytes inflate(Bytes stored, std::uint64_t size, const Where& where);
  Bytes unshuffle(Bytes stored, std::uint64_t element_size);

  const Filters& filters_;
  std::uint64_t size_;
  std::vector<std::byte> inflated_;
  std::vector<std::byte> unshuffled_;
};

}  // namespace tieout::hdf5
