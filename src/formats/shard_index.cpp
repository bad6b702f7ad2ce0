#include "formats/shard_index.h"

#include "containers/json/json_text.h"

namespace tieout {

namespace {

using nlohmann::ordered_json;

// A thousand shards of a thousand tensors each, with long names.
constexpr std::size_t largest_index = std::size_t{256} << 20;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

bool stays_in_folder(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

std::vector<std::string> shards_of(const ordered_json& value, const Where& where) {
  std::vector<std::string> names;
  for (const ordered_json& one : value.is_array() ? value : ordered_json::array({value})) {
    if (!one.is_string()) throw malformed("a shard's name must be a text", where);
    names.push_back(one.get<std::string>());
    if (!stays_in_folder(names.back()))
      throw malformed("the shard's name '" + names.back() + "' leaves the index's folder", where);
  }
  return names;
}

}  // namespace

std::set<std::string> ShardIndex::names() const {
  std::set<std::string> all;
  for (const auto& [entry, files] : shards) all.insert(files.begin(), files.end());
  return all;
}

Where ShardIndex::where(const std::string& entry) const {
  return {.file = file->path(), .entry = entry, .offset = {}, .tensor = {}, .layer = {}};
}

FileRef ShardIndex::open(const std::string& shard,
                         const std::map<std::string, std::string>& elsewhere) const {
  const auto moved = elsewhere.find(shard);
  const std::string path =
      moved != elsewhere.end() ? moved->second : file->path().substr(0, file->path().rfind('/') + 1) + shard;
  try {
    return std::make_shared<const MappedFile>(path);
  } catch (const Error& error) {
    throw io_error(path, "the shard cannot be read: " + std::string(error.what()),
                   "all files that " + file->path() + " names must lie beside it");
  }
}

std::vector<std::pair<std::size_t, std::size_t>> spread(const std::vector<std::uint64_t>& sizes,
                                                        std::uint64_t most) {
  std::vector<std::pair<std::size_t, std::size_t>> files;
  std::size_t first = 0;
  std::uint64_t held = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i > first && (held > most || sizes[i] > most - held)) {
      files.emplace_back(first, i);
      first = i;
      held = 0;
    }
    held += sizes[i];
  }
  files.emplace_back(first, sizes.size());
  return files;
}

bool is_shard_index(const MappedFile& file, std::string_view suffix) {
  // The metadata, which stands first, can hold a whole architecture.
  const std::string_view text = text_of(file).substr(0, largest_index);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return false;
  return text.find("\"weight_map\"") != std::string_view::npos &&
         text.find(std::string(suffix) + "\"") != std::string_view::npos;
}

std::optional<Finding> note_of_shard(const std::string& path) {
  // NAME-DDDDD-of-DDDDD.SUFFIX
  constexpr std::string_view between = "-of-";
  constexpr std::size_t digits = 5;
  const std::size_t folder = path.rfind('/') + 1;
  const std::size_t at = path.rfind(between);
  const std::size_t dot = at + between.size() + digits;
  if (at == std::string::npos || at < folder + digits + 1 || dot >= path.size() || path[dot] != '.')
    return std::nullopt;
  const std::string number = path.substr(at - digits, digits);
  const std::string count = path.substr(at + between.size(), digits);
  const std::size_t name = at - digits - 1;
  if ((number + count).find_first_not_of("0123456789") != std::string::npos || path[name] != '-' ||
      count == "00001")
    return std::nullopt;
  return Finding{
      .severity = Severity::note,
      .layer = {},
      .message = path + " is one file of " + std::to_string(std::stoul(count)) +
                 ", and the tensors of the others are not in it; give the index to have them all: " +
                 path.substr(0, name) + path.substr(dot) + ".index.json",
      .way_out = {}};
}

ShardIndex read_shard_index(const FileRef& file) {
  ShardIndex index{file, {}, {}};
  if (file->bytes().size() > largest_index) throw malformed("an index of more than 256 MiB", index.where({}));
  const ordered_json text = parse_json(text_of(*file), index.where({}));
  const auto found = text.find("weight_map");
  if (found == text.end() || !found->is_object())
    throw malformed("the index has no object \"weight_map\"", index.where({}));
  for (const auto& [entry, value] : found->items())
    index.shards.emplace(entry, shards_of(value, index.where("weight_map." + entry)));
  if (const auto metadata = text.find("metadata"); metadata != text.end() && metadata->is_object()) {
    for (const auto& [key, value] : metadata->items()) {
      if (value.is_string()) index.metadata.emplace(key, value.get<std::string>());
    }
  }
  return index;
}

}  // namespace tieout
