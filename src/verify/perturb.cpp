#include "verify/perturb.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/parallel.h"
#include "verify/parameters.h"
#include "verify/random.h"

namespace tieout {

namespace {

constexpr double stretch = 0.5;
constexpr double shift = 0.1;

// Drawn block by block, so that several threads give the same numbers as one.
constexpr std::size_t block = std::size_t{1} << 16;

void move_elements(Array& array, std::uint64_t seed) {
  const bool positive = std::ranges::all_of(array.data, [](double x) { return x >= 0; });
  const std::span<double> all(array.data);
  parallel_each(static_cast<std::int64_t>((all.size() + block - 1) / block), [&](std::int64_t k) {
    const std::size_t begin = static_cast<std::size_t>(k) * block;
    Random random(Random(seed + static_cast<std::uint64_t>(k)).next());
    for (double& x : all.subspan(begin, std::min(block, all.size() - begin))) {
      const double moved = shift * (positive ? random.uniform() : 2 * random.uniform() - 1);
      x = x * (1 + stretch * random.uniform()) + moved;
    }
  });
}

bool both_store(const Parameter& left, const Parameter& right) {
  return !left.terms.empty() && !right.terms.empty() && !left.bookkeeping;
}

const Layer& layer_at(const Model& model, int index) {
  return model.layers.at(static_cast<std::size_t>(index));
}

}  // namespace

Perturbation::Perturbation(const Model& a, const FrameworkModel& file_a, const Model& b,
                           const FrameworkModel& file_b, const Matching& matching, std::uint64_t seed)
    : a_(a), file_a_(file_a), b_(b), file_b_(file_b), matching_(matching), seed_(seed) {
  for (std::size_t i = 0; i < matching.layers.size(); ++i) {
    pairs_a_.emplace(matching.layers[i].a, i);
    pairs_b_.emplace(matching.layers[i].b, i);
  }
}

ParameterSource Perturbation::a() const {
  return [this](int layer) { return of_layer(pairs_a_, layer, false); };
}

ParameterSource Perturbation::b() const {
  return [this](int layer) { return of_layer(pairs_b_, layer, true); };
}

std::shared_ptr<const LayerParameters> Perturbation::of_layer(const std::map<int, std::size_t>& pairs,
                                                              int layer, bool in_b) const {
  const auto pair = pairs.find(layer);
  if (pair == pairs.end()) return nullptr;
  std::shared_ptr<LayerParameters>& own = in_b ? kept_.b : kept_.a;
  if (last_ != pair->second || !own) {
    kept_ = {};
    kept_ = of_pair(pair->second);
    last_ = pair->second;
  }
  return std::exchange(own, nullptr);
}

Perturbation::Both Perturbation::of_pair(std::size_t pair) const {
  const Layer& left = layer_at(a_, matching_.layers[pair].a);
  const Layer& right = layer_at(b_, matching_.layers[pair].b);
  Both both{std::make_shared<LayerParameters>(), std::make_shared<LayerParameters>()};
  for (std::size_t k = 0; k < left.parameters.size(); ++k) add_moved(both, pair, k);
  const auto add_others = [](LayerParameters& made, const Layer& layer, const FrameworkModel& file) {
    for (const auto& parameter : layer.parameters) {
      if (!parameter.bookkeeping && !made.contains(parameter.name))
        made.emplace(parameter.name, load_parameter(parameter, file));
    }
  };
  add_others(*both.a, left, file_a_);
  add_others(*both.b, right, file_b_);
  return both;
}

void Perturbation::add_moved(Both& both, std::size_t pair, std::size_t parameter) const {
  const Layer& left = layer_at(a_, matching_.layers[pair].a);
  const Layer& right = layer_at(b_, matching_.layers[pair].b);
  const Parameter& own = left.parameters[parameter];
  const auto partner = std::ranges::find(right.parameters, own.name, &Parameter::name);
  if (partner == right.parameters.end() || !both_store(own, *partner)) return;
  Array ours = load_parameter(own, file_a_);
  // The same numbers whichever side asks.
  move_elements(
      ours, seed_ + (static_cast<std::uint64_t>(pair) << 40) + (static_cast<std::uint64_t>(parameter) << 24));
  auto theirs = carried_parameter(ours, own, a_, left, *partner, b_, right);
  if (!theirs) return;
  both.a->emplace(own.name, std::move(ours));
  both.b->emplace(own.name, std::move(*theirs));
}

}  // namespace tieout
