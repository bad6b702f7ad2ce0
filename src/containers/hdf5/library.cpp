#include "containers/hdf5/library.h"

#include <string_view>

namespace tieout::hdf5 {

namespace {

// Walking upward begins at the innermost call, which knows best what was wrong.
herr_t take_first(unsigned position, const H5E_error2_t* error, void* text) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

// "file write failed: time = ..., error message = 'No space left on device', buf = 0x..." without addresses
// and times.
std::string shortened(const std::string& text) {
  const auto details = text.find(": time = ");
  if (details == std::string::npos) return text;
  constexpr std::string_view mark = "error message = '";
  const auto begin = text.find(mark, details);
  const auto end = begin == std::string::npos ? begin : text.find('\'', begin + mark.size());
  if (end == std::string::npos) return text.substr(0, details);
  return text.substr(0, details) + ": " + text.substr(begin + mark.size(), end - begin - mark.size());
}

}  // namespace

void prepare_library() {
  // First, since it must precede all other calls: no clean-up at exit, which after a failed write (a full
  // disk) tries to write once more and crashes. Handles close all that is open.
  static const bool without_plugins = [] {
    H5dont_atexit();
    return H5PLset_loading_state(0) >= 0;
  }();
  // The error stack and its printing belong to the thread.
  thread_local const bool silent = [] { return H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0; }();
  if (!without_plugins || !silent) throw internal_error("libhdf5 cannot be initialised");
}

std::string library_reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "libhdf5 gives no reason" : shortened(text);
}

}  // namespace tieout::hdf5
