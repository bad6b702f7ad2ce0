#include "formats/torch_source/block_names.h"

#include <algorithm>
#include <optional>

namespace tieout::torch_source {

namespace {

std::string common_begin(const std::string& a, const std::string& b) {
  return {a.begin(), std::ranges::mismatch(a, b).in1};
}

// "conv2_block_1" -> "conv_block".
std::string without_numbers(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool is_number = c >= '0' && c <= '9';
    const bool is_needless = c == '_' && (text.empty() || text.back() == '_');
    if (!is_number && !is_needless) text.push_back(c);
  }
  return text;
}

}  // namespace

BlockNames block_names(const std::vector<std::string>& attributes, std::size_t first, std::size_t length) {
  std::optional<std::string> common;
  for (std::size_t i = first; i < first + length; ++i) {
    if (!attributes[i].empty()) common = common ? common_begin(*common, attributes[i]) : attributes[i];
  }
  BlockNames names;
  if (!common || common->empty()) return names;
  if (common->back() == '_') common->pop_back();
  names.name = *common;
  for (std::size_t i = first; i < first + length; ++i) {
    names.ends.push_back(attributes[i].empty() ? "" : attributes[i].substr(names.name.size()));
  }
  return names;
}

std::string block_method(const std::vector<std::string>& names) {
  std::string stem = without_numbers(names.front());
  for (const std::string& name : names) stem = common_begin(stem, without_numbers(name));
  while (stem.ends_with('_')) stem.pop_back();
  if (stem.empty() || stem == "block") return "_block";
  return "_" + stem + (stem.ends_with("_block") ? "" : "_block");
}

}  // namespace tieout::torch_source
