// Repeated blocks: parts of a model that are wired alike and whose layers' names differ in one part only.
#pragma once

#include <string>
#include <vector>

#include "formats/torch_source/node_text.h"
#include "model/framework_model.h"

namespace tieout::torch_source {

struct BlockRepeat {
  std::size_t first;                // its first node
  std::string name;                 // what its layers' names begin with: "conv2_block1"
  std::vector<std::string> values;  // of Block::variables, as Python
};

// What all repeats share. Values come in at one place and leave at one, the last node's output 0.
struct Block {
  std::string method;                  // "_conv_block"
  std::size_t length = 0;              // nodes
  std::vector<std::string> ends;       // for each node, what follows the repeat's name: "_1_conv"
  std::vector<BlockRepeat> repeats;    // in the model's order
  std::vector<std::string> variables;  // the settings that differ: "in_channels"
  // For each node, of its constructor: settings that differ are variables.
  std::vector<Arguments> arguments;
};

// Blocks do not overlap, and each saves lines. A node that is called more than once is in none.
std::vector<Block> find_blocks(const FrameworkModel& model);

}  // namespace tieout::torch_source
