// What the layers' names of a block have in common.
#pragma once

#include <string>
#include <vector>

namespace tieout::torch_source {

struct BlockNames {
  std::string name;               // "conv2_block1"; empty where the names have nothing in common
  std::vector<std::string> ends;  // "_1_conv"; empty for a node that has no attribute
};

// Of `length` nodes from `first` on; `attributes` is empty for what has none.
BlockNames block_names(const std::vector<std::string>& attributes, std::size_t first, std::size_t length);

// "conv2_block1", "conv3_block1" -> "_conv_block". Always ends with "_block", as nothing in nn.Module does.
std::string block_method(const std::vector<std::string>& names);

}  // namespace tieout::torch_source
