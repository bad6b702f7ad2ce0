// A file opened and understood, as far as it can be.
#pragma once

#include <string>

#include "convert/lift.h"
#include "formats/format.h"
#include "model/model.h"

namespace tieout {

struct Side {
  FrameworkModel file;
  Model model;  // with file.has_architecture false: layers known by their tensors only
  bool architecture_assumed = false;
};

// Reads the file, recognised by its content, and lifts it. Findings are in model.findings.
Side open_side(const std::string& path, const InputShapes& shapes = {});

// Completes each side from the other: a bare file borrows the other's architecture, an unknown input shape comes from
// the other side. `given` belongs to a. Findings go to the side that they are about.
void settle(Side& a, Side& b, const InputShapes& given);

}  // namespace tieout
