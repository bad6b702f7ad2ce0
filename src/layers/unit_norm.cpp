#include <algorithm>
#include <cmath>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/normalised_axes.h"
#include "layers/shared/read_axes.h"
#include "layers/shared/sample_axes.h"

// y = x / max(|x|, 1e-12), the length |x| taken over some axes of each sample together. PyTorch:
// torch.nn.functional.normalize, which has the same lower limit.

namespace tieout::layers {

namespace {

constexpr double shortest = 1e-12;

void lift(Lifter& lifter) {
  std::vector<std::int64_t> axes;
  if (lifter.is_keras()) {
    axes = normalised_axes(lifter);
  } else {
    axes = lifter.settings().list("dim");
  }
  if (axes.empty()) lifter.refuse("its input's rank is not known", "give it with --input-shape");
  Layer layer = lifter.layer("unit_norm");
  layer.settings = {{"axes", axes}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  auto axes = axes_in_target(lowerer);
  std::ranges::sort(axes);
  if (lowerer.to_keras()) {
    const bool last = axes.size() == 1 && axes[0] == static_cast<int>(lowerer.axes().size()) - 1;
    lowerer.add("UnitNormalization", {{"axis", last ? Json(-1) : Json(axes)}});
    return;
  }
  std::string dim;
  for (const int axis : axes) dim += (dim.empty() ? "" : ", ") + std::to_string(axis);
  if (axes.size() > 1) dim = "(" + dim + ")";
  lowerer.add("torch.normalize", {{"dim", axes}}, "nn.functional.normalize({0}, dim=" + dim + ")");
}

std::vector<Array> compute(const Evaluation& e) {
  return {along_axes(*e.inputs[0], e.layer.settings["axes"].get<std::vector<int>>(),
                     [](double* row, std::int64_t size) {
                       double length = 0;
                       for (std::int64_t k = 0; k < size; ++k) length += row[k] * row[k];
                       length = std::max(std::sqrt(length), shortest);
                       for (std::int64_t k = 0; k < size; ++k) row[k] /= length;
                     })};
}

}  // namespace

LayerKind unit_norm() {
  LayerKind kind;
  kind.name = "unit_norm";
  kind.torch = exact({"torch.normalize"});
  kind.keras = exact({"UnitNormalization"});
  kind.summary = "y = x / max(|x|, 1e-12) over some axes of each sample.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html",
                  "https://keras.io/api/layers/normalization_layers/unit_normalization/"};
  kind.lift = lift;
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  kind.mistakes = {
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout")};
  kind.cases = {
      keras_case("features", "UnitNormalization", Json::object(), {3, 5}),
      keras_case("channels of an image", "UnitNormalization", Json::object(), {2, 4, 5, 3}),
      keras_case("rows of an image", "UnitNormalization", {{"axis", 1}}, {2, 4, 5, 3}),
      keras_case("whole images", "UnitNormalization", {{"axis", Json::array({1, 2, 3})}}, {2, 4, 5, 3}),
      keras_case("steps", "UnitNormalization", {{"axis", -2}}, {2, 4, 5})};
  return kind;
}

}  // namespace tieout::layers
