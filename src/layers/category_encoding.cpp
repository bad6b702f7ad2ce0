#include "layers/shared/category_encoding.h"

#include <algorithm>
#include <cmath>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_call.h"
#include "layers/shared/operator_call.h"

// Whole numbers as vectors with a place for each.   x: n t (whole numbers)   ->   y: n t v, or n v
//
// Settings: tokens (v); mode: "one_hot" has a vector for each number (an only number of the last axis loses
// that axis), "multi_hot" one for each sample, with a 1 for each number that is in it, "count" the times that
// it is in it, or the sum of their weights (input 1). Numbers without a place are left out.

namespace tieout::layers {

namespace {

constexpr const char* own_class = "tieout.CategoryEncoding";
constexpr const char* definition = R"(class CategoryEncoding(nn.Module):
    """Whole numbers below num_tokens as vectors with a place for each; others are left out.

    mode "one_hot": a vector for each number; "multi_hot": one for each sample, 1 for each
    number that is in it; "count": how often it is, or the sum of the weights.
    """

    def __init__(self, num_tokens, mode="multi_hot"):
        super().__init__()
        self.num_tokens = num_tokens
        self.mode = mode
        self.register_buffer("one", torch.ones(()), persistent=False)  # of the output's type

    def forward(self, x, weights=None):
        if self.mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
            x = x.squeeze(-1)
        places = torch.arange(self.num_tokens, device=x.device)
        hot = (x.long().unsqueeze(-1) == places).to(self.one.dtype)
        if self.mode == "one_hot":
            return hot
        if self.mode == "multi_hot":
            return hot.amax(dim=1)
        return hot.sum(dim=1) if weights is None else (hot * weights.unsqueeze(-1)).sum(dim=1)
)";

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::int64_t tokens = given.integer("num_tokens");
  if (lifter.is_torch()) {
    add_category_encoding(lifter, given.text("mode", "multi_hot"), tokens, lifter.input_count() > 1 ? 1 : 0);
    return;
  }
  const KerasCall call = keras_call(lifter, {"inputs", "count_weights"});
  call.expect_only(lifter, {"inputs", "count_weights"});
  const auto weights = call.tensors.find("count_weights");
  add_category_encoding(lifter, given.text("output_mode", "multi_hot"), tokens,
                        weights == call.tensors.end() ? 0 : weights->second);
}

bool is_one_hot(const Layer& layer) {
  return layer.settings.at("mode") == "one_hot";
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  if (out.size() > 1 && (!is_one_hot(layer) || out.back().size == 1)) out.pop_back();
  out.push_back({free_axis_name(out, "f"), layer.settings.at("tokens").get<std::int64_t>(), {}});
  return {out};
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  FrameworkNode node;
  for (const auto& value : lowerer.inputs()) node.inputs.push_back({value, {}});
  node.settings = {{"num_tokens", settings["tokens"]}};
  if (lowerer.to_torch()) {
    node.class_name = own_class;
    node.definition = definition;
    node.settings["mode"] = settings["mode"];
  } else {
    node.class_name = "CategoryEncoding";
    node.settings["output_mode"] = settings["mode"];
    if (node.inputs.size() > 1) node.inputs[1].keyword = "count_weights";
  }
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const std::int64_t tokens = e.integer("tokens");
  const auto mode = e.layer.settings.at("mode").get<std::string>();
  Shape shape = x.shape;
  if (shape.size() > 1 && (mode != "one_hot" || shape.back() == 1)) shape.pop_back();
  shape.push_back(tokens);
  Array y(shape);
  const std::size_t joined = mode == "one_hot" ? 1 : static_cast<std::size_t>(x.shape.back());
  for (std::size_t k = 0; k < x.count(); ++k) {
    const double token = std::trunc(x.data[k]);
    if (!(token >= 0 && token < static_cast<double>(tokens))) continue;
    double& place =
        y.data.at(k / joined * static_cast<std::size_t>(tokens) + static_cast<std::size_t>(token));
    const double weight = e.inputs.size() > 1 ? e.inputs[1]->data.at(k) : 1;
    place = mode == "count" ? place + weight : 1;
  }
  return {y};
}

std::vector<Mistake> mistakes() {
  const auto mutate = [](Layer& layer, Framework, const std::vector<Axes>& inputs) {
    if (is_one_hot(layer) || inputs.at(0).back().size == 1) return false;
    layer.settings["mode"] = layer.settings["mode"] == "count" ? "multi_hot" : "count";
    return true;
  };
  return {{"mode", "numbers that are in a sample several times are counted as once, or the reverse", mutate}};
}

std::vector<Case> cases() {
  const auto encode = [](const std::string& name, const std::string& mode, const std::vector<Shape>& shapes) {
    Case made = keras_case(name, "CategoryEncoding", {{"num_tokens", 4}, {"output_mode", mode}}, {});
    made.input_shapes = shapes;
    made.inputs = "indices:4";
    return made;
  };
  std::vector<Case> all = {encode("one-hot", "one_hot", {{3, 5}}),
                           encode("one-hot, one number", "one_hot", {{3, 1}}),
                           encode("one-hot, two axes", "one_hot", {{3, 5, 2}}),
                           encode("multi-hot", "multi_hot", {{3, 5}}),
                           encode("count", "count", {{3, 5}}),
                           encode("count, one number", "count", {{3, 1}}),
                           encode("count, weighted", "count", {{3, 5}, {3, 5}}),
                           encode("one-hot, numbers without a place", "one_hot", {{3, 5}}),
                           encode("count, numbers without a place", "count", {{3, 5}})};
  all[6].settings["call"] = {{"arguments", {"inputs", "count_weights"}}};
  all[6].inputs = "indices:4,normal";
  all[7].inputs = "indices:6";
  all[8].inputs = "indices:6";
  return all;
}

}  // namespace

LayerKind category_encoding() {
  LayerKind kind;
  kind.name = "category_encoding";
  kind.torch = exact({own_class});
  kind.keras = exact({"CategoryEncoding"});
  kind.summary = "Whole numbers of x (n t) as vectors with a place for each: y (n t v), or (n v) for all t.";
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.reads_indices = true;
  kind.mistakes = mistakes();
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
