#include "layers/layer_kind.h"
#include "layers/shared/composition.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// PyTorch's y = a W b + bias, W of (outputs, features of a, features of b). It is two layers: an einsum of a
// and b, every feature with every other, and an einsum_dense of that with W. No layer of this kind is ever
// made.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const bool has_bias =
      lifter.node().parameters.empty() ? given.flag("bias", true) : lifter.has_variable("bias");
  if (lifter.input_count() != 2) throw malformed("a Bilinear takes two inputs");
  for (std::size_t k = 0; k < 2; ++k) {
    if (lifter.input(k).known && lifter.input(k).axes.size() != 2) {
      lifter.refuse("its inputs have " + std::to_string(lifter.input(k).axes.size()) + " axes",
                    "flatten them to batch and features");
    }
    lifter.roles(k, {"n", "f"});
  }
  const std::int64_t left = given.integer("in1_features");
  const std::int64_t right = given.integer("in2_features");
  lifter.expect_size(0, 1, left);
  lifter.expect_size(1, 1, right);
  const std::int64_t outputs = given.integer("out_features");
  add_part(lifter, "einsum", {{"equation", "ab,ac->abc"}}, "products");
  Layer dense = lifter.layer("einsum_dense");
  dense.name += "_dense";
  dense.settings = {{"input", "abc"}, {"kernel", "dbc"}, {"output", "ad"}, {"bias", has_bias ? "d" : ""}};
  dense.parameters = {lifter.parameter("kernel", "d b c", {lifter.term("weight", "d b c")},
                                       {{"d", outputs}, {"b", left}, {"c", right}}),
                      has_bias ? lifter.parameter("bias", "d", {lifter.term("bias", "d")}, {{"d", outputs}})
                               : lifter.constant("bias", "", {}, 0)};
  lifter.add(std::move(dense));
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, bool bias) {
    Case test =
        torch_case(name, "Bilinear",
                   {{"in1_features", 4}, {"in2_features", 5}, {"out_features", 3}, {"bias", bias}}, {2, 4});
    test.input_shapes.push_back({2, 5});
    return test;
  };
  return {made("bias", true), made("no bias", false)};
}

}  // namespace

LayerKind bilinear() {
  LayerKind kind;
  kind.name = "bilinear";
  kind.torch = {{"Bilinear", Status::composed, "keras.ops Einsum, EinsumDense"}};
  kind.summary = "y (n o) = a (n i) W (o i j) b (n j) + bias (o).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html"};
  kind.lift = lift;
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
