#include "verify/branches.h"

#include <algorithm>
#include <set>

#include "layers/layer_kind.h"
#include "tieout/error.h"
#include "verify/compare.h"

namespace tieout {

namespace {

// The first layer behind the value that has several inputs; -1 where there is none.
int join_behind(const Model& model, int value) {
  std::set<int> behind{value};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    if (std::ranges::none_of(layer.inputs, [&](int input) { return behind.contains(input); })) continue;
    if (layer.inputs.size() > 1) return static_cast<int>(i);
    behind.insert(layer.outputs.begin(), layer.outputs.end());
  }
  return -1;
}

// Whether the join's value ties out with that of its partner, if it has one. -1: it does not.
int partner_that_ties_out(const Model& a, const std::vector<std::optional<Array>>& values_a, const Model& b,
                          const std::vector<std::optional<Array>>& values_b, int join,
                          const std::vector<double>& relative) {
  const Matching matching = match(a, b);
  const auto pair = std::ranges::find(matching.layers, join, &Pair::b);
  if (pair == matching.layers.end()) return -1;
  const auto left = static_cast<std::size_t>(a.layers.at(static_cast<std::size_t>(pair->a)).outputs.at(0));
  const auto right = static_cast<std::size_t>(b.layers.at(static_cast<std::size_t>(join)).outputs.at(0));
  const auto& x = values_a.at(left);
  const auto& y = values_b.at(right);
  const bool same =
      x && y && compare(*x, a.values.at(left).axes, *y, b.values.at(right).axes, relative.at(left)).ties_out;
  return same ? pair->a : -1;
}

}  // namespace

std::optional<Diagnosis> other_branch_order(const DiagnosedSide& a,
                                            const std::vector<std::optional<Array>>& values_a,
                                            const DiagnosedSide& b, const std::vector<Array>& inputs_b,
                                            int value, const std::vector<double>& relative) {
  const int join = join_behind(b.model, value);
  if (join < 0) return std::nullopt;
  const Layer& own = b.model.layers[static_cast<std::size_t>(join)];
  std::vector<Axes> axes;
  for (const int input : own.inputs) axes.push_back(b.model.values.at(static_cast<std::size_t>(input)).axes);
  for (const auto& mistake : kind_named(own.kind).mistakes) {
    Model changed = b.model;
    Layer& layer = changed.layers[static_cast<std::size_t>(join)];
    if (!mistake.mutate(layer, changed.framework, axes) || layer.inputs == own.inputs) continue;
    try {
      const auto values_b = interpret(changed, b.file, inputs_b, {.parameters = b.parameters});
      const int partner = partner_that_ties_out(a.model, values_a, changed, values_b, join, relative);
      if (partner >= 0)
        return Diagnosis{a.model.layers[static_cast<std::size_t>(partner)].name, own.name, mistake.name,
                         mistake.message};
    } catch (const Error&) {
      continue;  // in that order they cannot be joined
    }
  }
  return std::nullopt;
}

}  // namespace tieout
