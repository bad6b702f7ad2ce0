#include <algorithm>
#include <functional>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"
#include "layers/shared/own_class.h"
#include "layers/shared/softmax.h"

// y = max(x - t, 0) along one axis, with the threshold t as Keras 3.15 computes it.
//
// Sparsemax (https://arxiv.org/abs/1602.02068) has t = (sum of the k largest - 1) / k, k being the number of
// places above the threshold. Keras takes the sum of all k sums of the 1, 2, ... k largest in its place
// (keras/src/backend/tensorflow/nn.py, sparsemax), so that its output adds up to 1 for k = 1 only. What a
// network was trained with is what is carried.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class Sparsemax(nn.Module):
    """max(x - threshold, 0) along one axis, with the threshold that Keras' sparsemax has."""

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        x = x.movedim(self.dim, -1)
        ordered = x.sort(dim=-1, descending=True).values
        sums = ordered.cumsum(dim=-1)
        count = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
        above = ordered - (sums - 1) / count > 0
        total = torch.where(above, sums, 0.0).sum(dim=-1, keepdim=True)
        threshold = (total - 1) / above.sum(dim=-1, keepdim=True)
        return (x - threshold).clamp(min=0).movedim(-1, self.dim)
)";

void lower(Lowerer& lowerer) {
  const int axis = lowerer.target_axis(0, lowerer.layer().settings["axes"].at(0).get<int>());
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "Sparsemax", definition, {{"dim", axis}});
  } else if (axis == static_cast<int>(lowerer.axes().size()) - 1) {
    lowerer.add("Activation", {{"activation", "sparsemax"}});
  } else {
    add_operation(lowerer, "Sparsemax", {{"axis", axis}});
  }
}

std::vector<Array> compute(const Evaluation& e) {
  return {along_axes(*e.inputs[0], e.layer.settings["axes"].get<std::vector<int>>(),
                     [](double* row, std::int64_t size) {
                       std::vector<double> ordered(row, row + size);
                       std::ranges::sort(ordered, std::greater<>());
                       double sum = 0;
                       double total = 0;
                       double above = 0;
                       for (std::int64_t k = 0; k < size; ++k) {
                         const double next = ordered[static_cast<std::size_t>(k)];
                         sum += next;
                         if (next - (sum - 1) / static_cast<double>(k + 1) <= 0) continue;
                         total += sum;
                         above += 1;
                       }
                       const double threshold = (total - 1) / above;
                       for (std::int64_t k = 0; k < size; ++k) row[k] = std::max(row[k] - threshold, 0.0);
                     })};
}

}  // namespace

LayerKind sparsemax() {
  LayerKind kind;
  kind.name = "sparsemax";
  kind.torch = exact({"tieout.Sparsemax"});
  kind.keras = exact({"activation:sparsemax", "Sparsemax"});
  kind.summary = "y = max(x - t, 0) along one axis, with the threshold t of Keras' sparsemax.";
  kind.sources = {"https://arxiv.org/abs/1602.02068", "https://keras.io/api/layers/activations/"};
  kind.lift = [](Lifter& lifter) {
    if (!lifter.input().known) lifter.refuse("its input's rank is not known", "give it with --input-shape");
    const auto axes = softmax_axes(lifter);
    if (axes.size() != 1 || axes[0] == 0) lifter.refuse("its axis is not one of the sample", "give it one");
    Layer layer = lifter.layer("sparsemax");
    layer.settings = {{"axes", axes}};
    lifter.add(std::move(layer));
  };
  kind.lower = lower;
  kind.compute = compute;
  kind.absorbs_flatten = true;
  kind.cases = {
      keras_case("classes", "Activation", {{"activation", "sparsemax"}}, {3, 5}),
      keras_case("channels of an image", "Activation", {{"activation", "sparsemax"}}, {2, 4, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
