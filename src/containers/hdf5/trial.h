// libhdf5 can crash on damaged files (1.10.8 does in H5HG_read, on a bad global heap index). So each file is
// read once in a child process first, and in this one only when the child lives.
#pragma once

#include <functional>

#include "tieout/error.h"

namespace tieout::hdf5 {

// Runs `attempt` in a child process, with bounds on its memory and time; what it throws is ignored there,
// since the caller will meet it again. Error(malformed) at `where` when the child dies.
void survive(const std::function<void()>& attempt, const Where& where);

}  // namespace tieout::hdf5
