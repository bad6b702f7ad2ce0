// What `verify` does and `convert` ends with.
#pragma once

#include "open.h"
#include "verify/verify.h"

namespace tieout::cli {

// verify(), with the progress on a terminal.
VerifyResult compare_sides(const Side& a, const Side& b, const Matching& matching, VerifyOptions options);

}  // namespace tieout::cli
