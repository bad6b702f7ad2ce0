// From what users call a checkpoint to its index file.
#pragma once

#include <optional>
#include <string>

namespace tieout::tf_checkpoint {

// "dir/ckpt-7" -> "dir/ckpt-7.index" when that is there. A folder with a file "checkpoint" -> the index of
// the latest checkpoint that it names, which must lie in the folder. Nothing when it is neither.
std::optional<std::string> locate(const std::string& path);

}  // namespace tieout::tf_checkpoint
