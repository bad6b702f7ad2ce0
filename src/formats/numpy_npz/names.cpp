#include "formats/numpy_npz/names.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tieout::numpy_npz {

namespace {

constexpr std::string_view numbered = "arr_";
// Words that one framework alone has; PyTorch's recurrent ones begin so ("weight_ih_l0").
constexpr std::array torch_words{"weight", "running_mean", "running_var", "num_batches_tracked"};
constexpr std::array torch_beginnings{"weight_ih", "weight_hh", "bias_ih", "bias_hh", "in_proj_"};
constexpr std::array keras_words{
    "kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel", "gamma",
    "beta",   "moving_mean",      "embeddings",       "moving_variance"};

// "dense/kernel:0" as "dense" and "kernel".
struct Parts {
  std::string group;
  std::string own;
};

Parts split(const std::string& name) {
  const std::string bare = name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
  const std::size_t at = bare.find_last_of("/.");
  if (at == std::string::npos) return {"", bare};
  return {bare.substr(0, at), bare.substr(at + 1)};
}

bool is_of_torch(const std::string& own) {
  return std::ranges::find(torch_words, own) != torch_words.end() ||
         std::ranges::any_of(torch_beginnings, [&](const char* word) { return own.starts_with(word); });
}

bool is_of_keras(const std::string& own) {
  return std::ranges::find(keras_words, own) != keras_words.end();
}

}  // namespace

bool are_numbered(const std::vector<NamedTensor>& arrays) {
  std::set<std::string> names;
  for (const NamedTensor& array : arrays) names.insert(array.name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names.contains(std::string(numbered) + std::to_string(i))) return false;
  }
  return !names.empty();
}

std::optional<Framework> framework_of_names(const std::vector<NamedTensor>& arrays) {
  if (are_numbered(arrays)) return Framework::keras;
  bool torch = false;
  bool keras = false;
  for (const NamedTensor& array : arrays) {
    const std::string own = split(array.name).own;
    torch = torch || is_of_torch(own);
    keras = keras || is_of_keras(own);
  }
  if (torch == keras) return std::nullopt;
  return torch ? Framework::torch : Framework::keras;
}

std::vector<FrameworkNode> keras_nodes(const std::vector<NamedTensor>& arrays) {
  std::vector<FrameworkNode> nodes;
  if (are_numbered(arrays)) {
    FrameworkNode& all = nodes.emplace_back();
    for (std::size_t i = 0; i < arrays.size(); ++i)
      all.parameters.push_back({.name = {}, .path = {}, .tensor = std::string(numbered) + std::to_string(i)});
    return nodes;
  }
  std::map<std::string, std::size_t> known;
  for (const NamedTensor& array : arrays) {
    const Parts parts = split(array.name);
    const auto [found, is_new] = known.emplace(parts.group, nodes.size());
    if (is_new) nodes.emplace_back().name = parts.group;
    nodes[found->second].parameters.push_back({.name = parts.own, .path = {}, .tensor = array.name});
  }
  return nodes;
}

}  // namespace tieout::numpy_npz
