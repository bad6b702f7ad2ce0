#include "verify/branches.h"

#include <algorithm>
#include <set>
#include <utility>

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

struct Placed {
  std::optional<Array> array;
  const Axes& axes;
};

Placed computed(const DiagnosedSide& side, const std::vector<Array>& inputs, int value) {
  const std::set<int> keep{value};
  auto values = interpret(side.model, side.file, inputs, {.parameters = side.parameters, .keep = &keep});
  const auto at = static_cast<std::size_t>(value);
  return {std::move(values.at(at)), side.model.values[at].axes};
}

// The join's partner, if it has one whose value ties out with the join's; -1 otherwise.
int partner_that_ties_out(const DiagnosedSide& a, const std::vector<Array>& inputs_a, const DiagnosedSide& b,
                          const std::vector<Array>& inputs_b, int join, const std::vector<double>& relative) {
  const Matching matching = match(a.model, b.model);
  const auto pair = std::ranges::find(matching.layers, join, &Pair::b);
  if (pair == matching.layers.end()) return -1;
  const int left = a.model.layers.at(static_cast<std::size_t>(pair->a)).outputs.at(0);
  const int right = b.model.layers.at(static_cast<std::size_t>(join)).outputs.at(0);
  const Placed x = computed(a, inputs_a, left);
  const Placed y = computed(b, inputs_b, right);
  const bool same =
      x.array && y.array &&
      compare(*x.array, x.axes, *y.array, y.axes, relative.at(static_cast<std::size_t>(left))).ties_out;
  return same ? pair->a : -1;
}

}  // namespace

std::optional<Diagnosis> other_branch_order(const DiagnosedSide& a, const std::vector<Array>& inputs_a,
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
      const int partner =
          partner_that_ties_out(a, inputs_a, {changed, b.file, b.parameters}, inputs_b, join, relative);
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
