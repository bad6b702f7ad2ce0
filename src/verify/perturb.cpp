#include "verify/perturb.h"

#include <algorithm>

#include "verify/parameters.h"
#include "verify/random.h"

namespace tieout {

namespace {

constexpr double stretch = 0.5;
constexpr double shift = 0.1;

void move_elements(Array& array, Random& random) {
  const bool positive = std::ranges::all_of(array.data, [](double x) { return x >= 0; });
  for (double& x : array.data) {
    const double moved = shift * (positive ? random.uniform() : 2 * random.uniform() - 1);
    x = x * (1 + stretch * random.uniform()) + moved;
  }
}

bool both_store(const Parameter& left, const Parameter& right) {
  return !left.terms.empty() && !right.terms.empty() && !left.bookkeeping;
}

}  // namespace

Perturbed perturb(const Model& a, const FrameworkModel& file_a, const Model& b, const FrameworkModel& file_b,
                  const Matching& matching, std::uint64_t seed) {
  Perturbed result;
  Random random(seed);
  for (const auto& pair : matching.layers) {
    const Layer& left = a.layers.at(static_cast<std::size_t>(pair.a));
    const Layer& right = b.layers.at(static_cast<std::size_t>(pair.b));
    if (left.parameters.empty()) continue;
    LayerParameters ours = load_parameters(left, file_a);
    LayerParameters theirs = load_parameters(right, file_b);
    for (const auto& parameter : left.parameters) {
      const auto partner = std::ranges::find(right.parameters, parameter.name, &Parameter::name);
      if (partner == right.parameters.end() || !both_store(parameter, *partner)) continue;
      Array moved = ours.at(parameter.name);
      move_elements(moved, random);
      auto carried = carried_parameter(moved, parameter, a, left, *partner, b, right);
      if (!carried) continue;
      theirs[parameter.name] = std::move(*carried);
      ours[parameter.name] = std::move(moved);
    }
    result.a.emplace(pair.a, std::move(ours));
    result.b.emplace(pair.b, std::move(theirs));
  }
  return result;
}

}  // namespace tieout
