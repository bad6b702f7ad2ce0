// A file opened and understood, as far as it can be.
#pragma once

#include <string>
#include <vector>

#include "convert/lift.h"
#include "formats/format.h"
#include "model/model.h"

namespace tieout {

struct Side {
  FrameworkModel file;
  Model model;  // with file.has_architecture false: layers known by their tensors only
  bool architecture_assumed = false;
};

// Reads the file, recognised by its content; layers of a bare file stand in the order of the network as far
// as it is known (convert/group_order.h).
FrameworkModel read_file(const std::string& path, const ReadOptions& options = {});

// What loading the file in its framework imports or runs, as far as its format knows (Format::code).
std::vector<std::string> code_of(const std::string& path);

// Lifts what was read. Findings are in model.findings, those of reading included.
Side side_of(FrameworkModel file, const InputShapes& shapes = {});

// Both: reads the file and lifts it.
Side open_side(const std::string& path, const InputShapes& shapes = {}, const ReadOptions& options = {});

// Completes each side from the other: a bare file borrows the other's architecture, an unknown input shape
// comes from the other side. `given` belongs to a, or where a is bare to b, whose inputs are the only ones
// that there are. Findings go to the side that they are about.
void settle(Side& a, Side& b, const InputShapes& given);

// Reads back what write() wrote, as the side that a verification compares with the source. The source learns
// from it what it leaves open (settle).
Side read_back(Side& source, const Side& target, const Outputs& outputs);

}  // namespace tieout
