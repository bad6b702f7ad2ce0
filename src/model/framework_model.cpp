#include "model/framework_model.h"

#include <algorithm>
#include <array>
#include <unordered_map>

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace tieout {

const char* to_string(Framework framework) {
  return framework == Framework::torch ? "torch" : "keras";
}

namespace {

// Where the names of one model's tensors stand, for as long as they stand there. Lookups come in runs over
// one model or two; checkpoints of large language models have a hundred thousand tensors.
struct Places {
  const NamedTensor* tensors = nullptr;
  std::size_t count = 0;
  std::unordered_map<std::string, std::size_t> by_name;
};

constexpr std::size_t worth_an_index = 64;

const Places& places_of(const std::vector<NamedTensor>& tensors) {
  thread_local std::array<Places, 4> known;
  thread_local std::size_t oldest = 0;
  for (const Places& places : known) {
    if (places.tensors == tensors.data() && places.count == tensors.size()) return places;
  }
  Places& places = known[oldest];
  oldest = (oldest + 1) % known.size();
  places = {tensors.data(), tensors.size(), {}};
  for (std::size_t i = 0; i < tensors.size(); ++i) places.by_name.emplace(tensors[i].name, i);
  return places;
}

}  // namespace

const LazyTensor* FrameworkModel::find_tensor(const std::string& full_name) const {
  if (tensors.size() >= worth_an_index) {
    const Places& places = places_of(tensors);
    const auto place = places.by_name.find(full_name);
    // Anybody may have changed the tensors meanwhile: what the index says is looked at.
    if (place != places.by_name.end() && tensors[place->second].name == full_name)
      return &tensors[place->second].tensor;
  }
  const auto found = std::ranges::find(tensors, full_name, &NamedTensor::name);
  return found == tensors.end() ? nullptr : &found->tensor;
}

}  // namespace tieout
