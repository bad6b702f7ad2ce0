// Tensors that can only be read whole, in bounded memory.
#pragma once

#include "model/framework_model.h"

namespace tieout {

// Compressed, cut into chunks, stored in the other byte order: such a tensor is unpacked into a temporary
// file (base/scratch_file.h) when it is first read, if it has more than 32 MiB, and stays there; parts of it
// are then read as of any other. Smaller ones are unpacked into memory each time.
void spool_large_tensors(FrameworkModel& file);

}  // namespace tieout
