// libhdf5's C API tamed: identifiers that close themselves, and its error stack as one sentence.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

#include "tieout/error.h"

namespace tieout::hdf5 {

// Owns an identifier; `close` is the function that ends its life.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool ok() const { return id_ >= 0; }
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

// Must be called in each thread before libhdf5 is used there: it prints no errors of its own and loads no
// plug-ins.
void prepare_library();

// The innermost description on libhdf5's error stack, which is cleared: "bad heap free list".
std::string library_reason();

}  // namespace tieout::hdf5
