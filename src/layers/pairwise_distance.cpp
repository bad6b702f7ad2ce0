#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/composition.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// PyTorch's PairwiseDistance: y = (sum of |a - b + eps|^p)^(1 / p) along the last axis
// (aten/src/ATen/native/Distance.cpp). No layer of this kind is ever made.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (lifter.input_count() != 2) throw malformed("a PairwiseDistance takes two inputs");
  if (!lifter.input(0).known || !lifter.input(1).known)
    lifter.refuse("it depends on the inputs' ranks, which are not known", "give them with --input-shape");
  const std::size_t rank = lifter.input(0).axes.size();
  if (rank < 2 || lifter.input(1).axes.size() != rank)
    lifter.refuse("its inputs have not the same number of axes, 2 or more", "reshape them before");
  const double p = lifter.settings().number(lifter.settings().has("norm") ? "norm" : "p", 2);
  if (!std::isfinite(p) || p == 0)
    lifter.refuse("its p is not a finite power",
                  "subtract the inputs in the model, and take the largest (or count them) behind it");
  add_part(lifter, "subtract", Json::object());
  add_part(lifter, "add", with_number(lifter.settings().number("eps", 1e-6)), "eps");
  // A square needs no absolute value, which has no gradient at 0.
  if (p == 2) {
    add_part(lifter, "math_function", {{"function", "square"}}, "square");
  } else {
    add_part(lifter, "math_function", {{"function", "abs"}}, "abs");
    if (p != 1) add_part(lifter, "binary_function", power_of(p), "power");
  }
  add_part(lifter, "reduce",
           {{"function", "sum"},
            {"axes", Json::array({rank - 1})},
            {"keepdims", lifter.settings().flag("keepdim", false)}},
           "sum");
  if (p != 1) add_root(lifter, p);
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const Json& settings, const Shape& first,
                       const Shape& second) {
    Case test = torch_case(name, "PairwiseDistance", settings, first);
    test.input_shapes.push_back(second);
    return test;
  };
  return {made("vectors", Json::object(), {3, 5}, {3, 5}),
          made("sums of differences, kept", {{"p", 1.0}, {"keepdim", true}}, {3, 5}, {3, 5}),
          made("third power", {{"p", 3.0}, {"eps", 0.1}}, {3, 5}, {3, 5}),
          made("a negative power", {{"p", -2.0}}, {3, 5}, {3, 5}),
          made("sequences", Json::object(), {2, 4, 5}, {2, 4, 5}),
          made("each against each", Json::object(), {2, 4, 1, 5}, {2, 1, 3, 5})};
}

}  // namespace

LayerKind pairwise_distance() {
  LayerKind kind;
  kind.name = "pairwise_distance";
  kind.torch = {
      {"PairwiseDistance", Status::composed,
       "keras.ops Subtract, Add of eps, Square or Absolute and Power, Sum, Power and Where for the root"}};
  kind.summary = "y = (sum of |a - b + eps|^p)^(1 / p) along the last axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html"};
  kind.lift = lift;
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
