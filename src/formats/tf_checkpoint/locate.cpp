#include "formats/tf_checkpoint/locate.h"

#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/mapped_file.h"
#include "containers/utf8.h"

namespace tieout::tf_checkpoint {

namespace {

constexpr const char* state_file = "checkpoint";
// It lists the checkpoints that are kept, a line each.
constexpr std::size_t largest_state = std::size_t{16} << 20;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// The text behind `field` in a text-format protocol buffer: model_checkpoint_path: "ckpt-7". Escaped
// characters (C style) are left to TensorFlow: nothing.
std::optional<std::string> text_of(std::string_view proto, std::string_view field) {
  std::size_t at = proto.find(field);
  while (at != std::string_view::npos && at > 0 && proto[at - 1] != '\n') at = proto.find(field, at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = proto.find_first_not_of(": ", at + field.size());
  if (begin == std::string_view::npos || proto[begin] != '"') return std::nullopt;
  const std::size_t end = proto.find_first_of("\"\\\n", begin + 1);
  if (end == std::string_view::npos || proto[end] != '"') return std::nullopt;
  return std::string(proto.substr(begin + 1, end - begin - 1));
}

// TensorFlow 1 writes absolute paths: the folder may have moved since, its files have their names.
std::string latest_in(const std::string& folder) {
  const std::string path = folder + "/" + state_file;
  const Where where{.file = path, .entry = {}, .offset = {}, .tensor = {}, .layer = {}};
  const MappedFile file(path);
  if (file.bytes().size() > largest_state)
    throw malformed("a list of checkpoints of more than 16 MiB", where);
  const std::string_view proto(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const auto latest = text_of(proto, "model_checkpoint_path");
  if (!latest || !is_utf8(*latest)) throw malformed("the file does not name the latest checkpoint", where);
  const bool absolute = latest->starts_with('/');
  const std::string name = absolute ? latest->substr(latest->rfind('/') + 1) : *latest;
  if (name.empty() || name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
    throw malformed("the latest checkpoint, " + *latest + ", does not lie in the folder", where);
  return folder + "/" + name + ".index";
}

}  // namespace

std::optional<std::string> locate(const std::string& path) {
  if (is_file(path + ".index")) return path + ".index";
  if (is_file(path + "/" + state_file)) return latest_in(path);
  return std::nullopt;
}

}  // namespace tieout::tf_checkpoint
