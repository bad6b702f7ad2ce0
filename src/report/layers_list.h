// Which classes of both frameworks are carried, from the layer records alone.
#pragma once

#include <string>

#include "layers/layer_kind.h"

namespace tieout {

// [{"framework", "class", "status", "kind", "reason", "cases"}]
Json layers_json();
// [{"kind", "name", "framework", "class", "settings", "input_shapes", "inputs", ...}]: what the judge tests
// run.
Json cases_json();
std::string layers_text();
// docs/layers.md.
std::string layers_markdown();

}  // namespace tieout
