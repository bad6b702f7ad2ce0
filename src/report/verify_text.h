// What verify found, for people.
#pragma once

#include <string>

#include "verify/verify.h"

namespace tieout {

// A line for each compared pair (both names, shape, max abs, max rel, tolerance, verdict), the findings, the
// first difference with its cause, and the verdict in the last line.
std::string verify_text(const VerifyResult& result, bool colours);

// Its findings, the largest difference and the verdict only: for a conversion that was verified.
std::string verify_summary(const VerifyResult& result, bool colours);

}  // namespace tieout
