#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"

// y = x in inference; in training, whole samples are left out: the class of keras.applications' ConvNeXt.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class StochasticDepth(nn.Module):
    """x; in training, whole samples are 0 with probability p and the others x / (1 - p)."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= self.p
        return x / (1 - self.p) * kept
)";

void write(Lowerer& lowerer) {
  const auto& rate = lowerer.layer().settings["rate"];
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "StochasticDepth", definition, {{"p", rate}});
    return;
  }
  FrameworkNode node;
  node.class_name = "StochasticDepth";
  node.module = "keras.src.applications.convnext";
  node.settings = {{"drop_path_rate", rate}};
  lowerer.add_node(std::move(node));
}

}  // namespace

LayerKind stochastic_depth() {
  Elementwise form;
  form.name = "stochastic_depth";
  form.torch = exact({"tieout.StochasticDepth"});
  form.keras = exact({"StochasticDepth"});
  form.summary = "y = x in inference.";
  form.read = [](Lifter& lifter) {
    return Json{{"rate", lifter.settings().number(lifter.is_torch() ? "p" : "drop_path_rate", 0)}};
  };
  form.function = [](double x, const Json&) { return x; };
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.sources = {"keras/src/applications/convnext.py, class StochasticDepth",
                  "https://arxiv.org/abs/1603.09382"};
  kind.cases = {keras_case("image", "StochasticDepth", {{"drop_path_rate", 0.2}}, {2, 4, 5, 3})};
  return kind;
}

}  // namespace tieout::layers
