// What verify found, for programs.
#pragma once

#include "model/framework_model.h"
#include "verify/verify.h"

namespace tieout {

// {"verdict", "max_abs", "max_rel", "witnesses": {"a", "b"}, "layers": [{"a", "b", "kind_a", "kind_b",
// "shape", "max_abs", "max_rel", "tolerance", "ties_out", "output", "note"}], "first_difference": null |
// {"a", "b", "cause", "message"}, "findings": [...]}. JSON has no infinity: a difference that is none, since
// one side has a NaN or the shapes differ, is null.
Json verify_json(const VerifyResult& result);

}  // namespace tieout
