#include <map>
#include <set>
#include <string>

#include "convert/plan.h"

namespace tieout {

namespace {

std::map<std::string, int> layers_by_tensor(const Model& model) {
  std::map<std::string, int> layers;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    for (const auto& parameter : model.layers[i].parameters) {
      for (const auto& term : parameter.terms) layers.emplace(term.tensor, static_cast<int>(i));
    }
  }
  return layers;
}

}  // namespace

Matching match_by_plan(const Model& a, const Model& b, const Plan& plan) {
  const auto left = layers_by_tensor(a);
  const auto right = layers_by_tensor(b);
  Matching matching;
  std::set<std::pair<int, int>> seen;
  for (const auto& entry : plan.entries) {
    const auto target = right.find(entry.target);
    for (const auto& move : entry.moves) {
      for (const auto& name : move.sources) {
        const auto source = left.find(name);
        if (source == left.end() || target == right.end()) continue;
        if (seen.emplace(source->second, target->second).second) {
          matching.layers.push_back({source->second, target->second});
        }
      }
    }
  }
  pair_values(matching, a, b);
  return matching;
}

}  // namespace tieout
