#include "formats/torch_pt/needed_code.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "formats/torch_pt/tensor_reader.h"
#include "tensor/dtype.h"

namespace tieout::torch_pt {

namespace {

constexpr std::array<std::string_view, 5> plain_classes{
    "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
    "torch.storage.UntypedStorage", "torch.storage.TypedStorage"};

bool is_data(const std::string& global, const PickleCallables& callables) {
  constexpr std::string_view torch = "torch.";
  if (std::ranges::find(plain_classes, global) != plain_classes.end()) return true;
  // Python's own getattr is read as a name, and is no data.
  if (callables.contains(global)) return !global.ends_with(".getattr");
  if (!global.starts_with(torch)) return false;
  const std::string_view name = std::string_view(global).substr(torch.size());
  return name.find('.') == std::string_view::npos && (name.ends_with("Storage") || dtype_of_name(name));
}

}  // namespace

std::vector<std::string> needed_code(const PickleTree& tree) {
  const PickleCallables callables = torch_callables();
  std::set<std::string> found;
  for (const PickleNode& global : tree.globals()) {
    const std::string name = global.full_name();
    if (!is_data(name, callables)) found.insert("the class " + name);
  }
  return {found.begin(), found.end()};
}

}  // namespace tieout::torch_pt
