// Findings, errors and sizes as people read them.
#pragma once

#include <string>

#include "model/finding.h"
#include "model/framework_model.h"
#include "tieout/error.h"

namespace tieout {

// One paragraph a finding: severity, layer, message, way out. Empty for none.
std::string findings_text(const Findings& findings, bool colours);

// "tieout: FILE, byte 42: message\n  hint".
std::string error_text(const Error& error, bool colours);
// {"error": {"kind", "message", "file", "entry", "offset", "tensor", "layer", "hint"}}.
Json error_json(const Error& error);

}  // namespace tieout
