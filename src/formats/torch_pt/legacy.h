// The format of PyTorch before 1.6: pickles one after another, then the storages (torch/serialization.py,
// _legacy_save).
#pragma once

#include "base/mapped_file.h"

namespace tieout::torch_pt {

// Whether the file begins as a pickle does, and no archive around it.
bool is_bare_pickle(Bytes file);

// Refuses the file. Error(unsupported) when it is a whole legacy file, Error(malformed) when it is damaged or
// another sort of pickle.
[[noreturn]] void refuse_bare_pickle(const MappedFile& file);

}  // namespace tieout::torch_pt
