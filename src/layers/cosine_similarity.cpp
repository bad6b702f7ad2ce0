#include "layers/layer_kind.h"
#include "layers/shared/composition.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// PyTorch's CosineSimilarity: y = sum of a / max(|a|, eps) * b / max(|b|, eps) along an axis
// (aten/src/ATen/native/Distance.cpp). Each length is taken as sqrt(max(|a|^2, eps^2)), whose gradient exists
// for zeros too. No layer of this kind is ever made.

namespace tieout::layers {

namespace {

// Below this eps^2 is 0 in float32.
constexpr double smallest_eps = 1e-18;

void lift(Lifter& lifter) {
  if (lifter.input_count() != 2) throw malformed("a CosineSimilarity takes two inputs");
  const Json& dim = lifter.settings().raw("dim");
  const std::int64_t axis = read_axis(lifter, dim.is_null() ? Json(1) : dim);
  if (axis == 0) lifter.refuse("it compares along the batch", "give it an axis of the sample");
  if (!lifter.input(1).known || lifter.input(1).axes.size() != lifter.input(0).axes.size())
    lifter.refuse("its inputs have not the same number of axes", "reshape them before");
  lifter.expect_size(1, static_cast<int>(axis), lifter.size(0, static_cast<int>(axis)));
  const double eps = lifter.settings().number("eps", 1e-8);
  if (!(eps >= smallest_eps))
    lifter.refuse("its eps is smaller than float32 can square", "use 1e-8, PyTorch's default");
  const std::vector<int> inputs = lifter.outputs();
  const Json kept = {{"function", "sum"}, {"axes", Json::array({axis})}, {"keepdims", true}};
  std::vector<int> units;
  for (const std::string input : {"", "b_"}) {
    const int x = inputs[units.size()];
    add_part(lifter, "math_function", {{"function", "square"}}, input.empty() ? "" : input + "square", {x});
    add_part(lifter, "reduce", kept, input + "sum");
    add_part(lifter, "maximum", with_number(eps * eps), input + "limit");
    const int length = add_part(lifter, "math_function", {{"function", "sqrt"}}, input + "length");
    units.push_back(
        add_part(lifter, "binary_function", {{"function", "divide"}}, input + "unit", {x, length}));
  }
  add_part(lifter, "multiply", Json::object(), "product", units);
  Json left_out = kept;
  left_out["keepdims"] = false;
  add_part(lifter, "reduce", left_out, "cosine");
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const Json& settings, const Shape& first,
                       const Shape& second) {
    Case test = torch_case(name, "CosineSimilarity", settings, first);
    test.input_shapes.push_back(second);
    return test;
  };
  return {made("vectors", Json::object(), {3, 5}, {3, 5}),
          made("a large eps", {{"eps", 2.0}}, {3, 5}, {3, 5}),
          made("channels of images", Json::object(), {2, 3, 4, 5}, {2, 3, 4, 5}),
          made("features of sequences", {{"dim", -1}}, {2, 4, 5}, {2, 4, 5}),
          made("each against each", {{"dim", 3}}, {2, 4, 1, 5}, {2, 1, 3, 5})};
}

}  // namespace

LayerKind cosine_similarity() {
  LayerKind kind;
  kind.name = "cosine_similarity";
  kind.torch = {{"CosineSimilarity", Status::composed,
                 "keras.ops Square, Sum, Maximum, Sqrt, TrueDivide of each input, Multiply, Sum"}};
  kind.summary = "y = sum of a / max(|a|, eps) * b / max(|b|, eps) along an axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html"};
  kind.lift = lift;
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
