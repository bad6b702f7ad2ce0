// The model with each repeat of a block as one node, as __init__ and forward() tell it.
#pragma once

#include <string>
#include <vector>

#include "formats/torch_source/blocks.h"

namespace tieout::torch_source {

struct Step {
  int block = -1;          // of Outline::blocks; -1: a plain node
  std::size_t repeat = 0;  // of that block
};

struct Outline {
  FrameworkModel model;     // a repeat is a function call on its input; parameters and tensors are left out
  std::vector<Step> steps;  // one for each node of `model`
  std::vector<Block> blocks;
};

Outline outline_of(const FrameworkModel& model);

// The lines of __init__ and forward() that make the layers and call them.
std::string constructors(const Outline& outline);
std::string forward_lines(const Outline& outline);

}  // namespace tieout::torch_source
