#include "layers/shared/elementwise.h"
#include "layers/shared/softmax.h"

// y = softmax(-x) along one axis: read as a rescaling by -1 and a softmax.

namespace tieout::layers {

LayerKind softmin() {
  LayerKind kind;
  kind.name = "softmin";
  kind.torch = {{"Softmin", Status::composed, "becomes Rescaling(-1) and Softmax"}};
  kind.summary = "y = softmax(-x): read as a rescaling and a softmax.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html"};
  kind.lift = [](Lifter& lifter) {
    const auto axes = softmax_axes(lifter);
    Layer negated = lifter.layer("rescaling");
    negated.settings = {{"scale", -1.0}, {"offset", 0.0}};
    lifter.add(std::move(negated));
    Layer softmax = lifter.layer("softmax");
    softmax.settings = {{"axes", axes}};
    lifter.add(std::move(softmax));
  };
  kind.cases = {torch_case("classes", "Softmin", {{"dim", 1}}, {3, 5}),
                torch_case("channels of an image", "Softmin", {{"dim", 1}}, {2, 3, 4, 5}),
                torch_case("no dim", "Softmin", Json::object(), {2, 3, 4, 5})};
  return kind;
}

}  // namespace tieout::layers
