// Lets libhdf5 lay out a file of which it writes all but the tensors' elements.
//
// Why a driver of our own: the library's "core" driver would hold the whole file in memory, and its "sec2"
// driver would write it where it must be copied from.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "containers/hdf5/library.h"
#include "tensor/payload.h"

namespace tieout::hdf5 {

// What was written, by page; pages that nobody wrote are zeros.
struct Pages {
  static constexpr std::uint64_t size = 4096;
  std::map<std::uint64_t, std::vector<std::byte>> pages{};  // by number
  std::uint64_t end = 0;                                    // of the file
};

class Recording {
 public:
  Recording() : pages_(std::make_unique<Pages>()) {}

  // A new file; the handle must be closed before this object ends. Not ok() when libhdf5 refuses.
  [[nodiscard]] Handle create() const;

  // The closed file, with the elements of these tensors at their places.
  [[nodiscard]] Payload payload(std::vector<Payload::Placed> tensors) const;

 private:
  std::unique_ptr<Pages> pages_;
};

}  // namespace tieout::hdf5
