#include "formats/format.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace tieout {

namespace {

// File names in capitals name the same format.
bool ends_with(const std::string& path, const std::string& suffix) {
  if (path.size() <= suffix.size()) return false;
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::equal(suffix.begin(), suffix.end(), path.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                    same);
}

// The format with the longest suffix that fits: ".weights.h5" before ".h5".
template <typename Accept>
const Format* find_by_suffix(const std::string& path, const Accept& accept) {
  const Format* best = nullptr;
  std::size_t longest = 0;
  for (const Format& format : all_formats()) {
    for (const std::string& suffix : format.suffixes) {
      if (suffix.size() <= longest || !ends_with(path, suffix) || !accept(format)) continue;
      best = &format;
      longest = suffix.size();
    }
  }
  return best;
}

std::string all_suffixes(bool written_only) {
  std::string text;
  for (const Format& format : all_formats()) {
    if (written_only && !format.write) continue;
    for (const std::string& suffix : format.suffixes) {
      if (!text.empty()) text += ", ";
      text += suffix;
    }
  }
  return text;
}

}  // namespace

std::string file_to_read(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return path;
  for (const Format& format : all_formats()) {
    if (!format.locate) continue;
    if (std::optional<std::string> located = format.locate(path)) return *std::move(located);
  }
  return path;
}

const Format& format_of_content(const MappedFile& file) {
  for (const Format& format : all_formats()) {
    if (format.recognises(file)) return format;
  }
  const Where where{.file = file.path(), .entry = {}, .offset = 0, .tensor = {}, .layer = {}};
  const Format* named = find_by_suffix(file.path(), [](const Format&) { return true; });
  if (named != nullptr) {
    throw Error(ErrorKind::malformed, "the content does not begin as that of: " + named->title, where,
                "the file is damaged or misnamed; save or download it again");
  }
  throw unsupported("unknown content", where, "tieout reads " + all_suffixes(false) + " files");
}

const Format& format_of_name(const std::string& path) {
  const Format* named = find_by_suffix(path, [](const Format& format) { return bool(format.write); });
  if (named == nullptr) {
    throw usage_error("'" + path + "' does not end with a suffix of a format that tieout writes",
                      "end it with one of " + all_suffixes(true));
  }
  return *named;
}

}  // namespace tieout
