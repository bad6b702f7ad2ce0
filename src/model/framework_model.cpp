#include "model/framework_model.h"

#include <algorithm>

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace tieout {

const char* to_string(Framework framework) {
  return framework == Framework::torch ? "torch" : "keras";
}

const LazyTensor* FrameworkModel::find_tensor(const std::string& full_name) const {
  const auto found = std::ranges::find(tensors, full_name, &NamedTensor::name);
  return found == tensors.end() ? nullptr : &found->tensor;
}

}  // namespace tieout
