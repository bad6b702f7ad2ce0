#include "containers/hdf5/library.h"

namespace tieout::hdf5 {

namespace {

// Walking upward begins at the innermost call, which knows best what was wrong.
herr_t take_first(unsigned position, const H5E_error2_t* error, void* text) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

void prepare_library() {
  static const bool without_plugins = [] { return H5PLset_loading_state(0) >= 0; }();
  // The error stack and its printing belong to the thread.
  thread_local const bool silent = [] { return H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0; }();
  if (!without_plugins || !silent) throw internal_error("libhdf5 cannot be initialised");
}

std::string library_reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "libhdf5 gives no reason" : text;
}

}  // namespace tieout::hdf5
