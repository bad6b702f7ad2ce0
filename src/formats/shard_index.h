// The index of a checkpoint in several files: JSON whose "weight_map" says which file beside it holds what.
// Hugging Face's libraries write it for PyTorch (tensor -> file), Keras 3 for its weights (group -> file, or
// files: keras/src/saving/saving_lib.py, ShardedH5IOStore).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "model/finding.h"
#include "tieout/error.h"

namespace tieout {

struct ShardIndex {
  FileRef file;
  std::map<std::string, std::vector<std::string>> shards;  // of each entry, none outside the index's folder
  std::map<std::string, std::string> metadata;             // its texts

  [[nodiscard]] std::set<std::string> names() const;
  [[nodiscard]] Where where(const std::string& entry) const;
  // The shard beside the index, or where `elsewhere` has it (see ReadOptions). Error(io) when it is not
  // there.
  [[nodiscard]] FileRef open(const std::string& shard,
                             const std::map<std::string, std::string>& elsewhere) const;
};

// Tensors of these sizes, in bytes, spread over files in their order: for each file the first tensor and the
// one behind the last. A file takes `most` bytes, or one tensor that is larger (huggingface_hub,
// serialization/_base.py: split_state_dict_into_shards_factory).
std::vector<std::pair<std::size_t, std::size_t>> spread(const std::vector<std::uint64_t>& sizes,
                                                        std::uint64_t most);

// Hugging Face's default (huggingface_hub, serialization/_base.py).
constexpr std::uint64_t usual_shard_size = 5'000'000'000;

// Whether the file looks like an index, of files that end so.
bool is_shard_index(const MappedFile& file, std::string_view suffix);

// For a file whose name says that it is one of several, "m-00001-of-00003.safetensors": a note with the index
// that should be given instead.
std::optional<Finding> note_of_shard(const std::string& path);

// Error(malformed) for what is no index, and for names that leave its folder.
ShardIndex read_shard_index(const FileRef& file);

}  // namespace tieout
