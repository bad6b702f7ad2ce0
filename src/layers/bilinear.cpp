#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// PyTorch's y = a W b + bias, W of (outputs, features of a, features of b). Without bias it is two layers:
// an einsum_dense of a with W, and a dot of that with b. No layer of this kind is ever made.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const bool has_bias =
      lifter.node().parameters.empty() ? given.flag("bias", true) : lifter.has_variable("bias");
  if (has_bias) {
    lifter.refuse("Keras has no layer that adds a bias behind a product of two inputs",
                  "use bias=False, or concatenate a 1 to both inputs and put the bias into the weight");
  }
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
  Layer product = lifter.layer("einsum_dense");
  const int other = product.inputs.at(1);
  product.inputs.pop_back();
  product.settings = {{"input", "ab"}, {"kernel", "cbd"}, {"output", "acd"}, {"bias", ""}};
  product.parameters = {lifter.parameter("kernel", "c b d", {lifter.term("weight", "c b d")},
                                         {{"c", given.integer("out_features")}, {"b", left}, {"d", right}}),
                        lifter.constant("bias", "", {}, 0)};
  lifter.add(std::move(product));
  Layer sum = lifter.layer("dot");
  sum.inputs.push_back(other);
  sum.settings = {{"axes", {2, 1}}, {"normalize", false}};
  lifter.add(std::move(sum));
}

}  // namespace

LayerKind bilinear() {
  LayerKind kind;
  kind.name = "bilinear";
  kind.torch = {{"Bilinear", Status::composed, "of EinsumDense and Dot; only with bias=False"}};
  kind.summary = "y (n o) = a (n i) W (o i j) b (n j).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html"};
  kind.lift = lift;
  Case test =
      torch_case("no bias", "Bilinear",
                 {{"in1_features", 4}, {"in2_features", 5}, {"out_features", 3}, {"bias", false}}, {2, 4});
  test.input_shapes.push_back({2, 5});
  kind.cases = {test};
  return kind;
}

}  // namespace tieout::layers
