#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/broadcast.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/merge_write.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// y = a where the condition holds, b elsewhere; a size of 1 stands for any.
//
// Setting "operands", where there are constants: the condition, a and b, an input being {"input": k}.

namespace tieout::layers {

namespace {

Json read_operands(Lifter& lifter) {
  if (lifter.is_torch()) return operands_of(lifter.layer("where"), lifter.input_count());
  CallArguments arguments(lifter);
  Json operands = Json::array(
      {arguments.take(0, {"condition"}), arguments.take(1, {"x1", "x"}), arguments.take(2, {"x2", "y"})});
  arguments.finish();
  return operands;
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("where");
  Json operands = lifter.is_torch() && lifter.settings().has("operands") ? lifter.settings().raw("operands")
                                                                         : read_operands(lifter);
  if (!operands.is_array() || operands.size() != 3) throw malformed("where takes three operands");
  std::size_t inputs = 0;
  for (const auto& operand : operands) {
    const auto input = input_of(operand);
    if (input && *input != inputs++) throw malformed("its tensors are not in the order of the arguments");
    if (!input && !operand.is_number())
      lifter.refuse("it chooses from a constant that is not a number",
                    "make the constant a weight of a layer");
  }
  if (inputs == 0 || !input_of(operands[0]))
    lifter.refuse("its condition is a constant", "choose the right one yourself");
  layer.settings = {{"operands", operands}};
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const Arranged arranged = brought_together(lowerer);
  const Json& operands = lowerer.layer().settings["operands"];
  FrameworkNode node;
  if (lowerer.to_torch()) {
    node.class_name = "torch.where";
    node.settings = {{"operands", operands}};
    // The condition may be numbers; torch.where takes truth values only.
    node.call = "torch.where({0}.bool()";
    for (const Json& operand : {operands[1], operands[2]}) {
      const auto input = input_of(operand);
      node.call += ", " + (input ? "{" + std::to_string(*input) + "}" : python_number(operand));
    }
    node.call += ")";
  } else {
    node = operator_node("numpy", "Where", Json::object(), operands);
  }
  for (const auto& value : arranged.values) node.inputs.push_back({value, {}});
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const Shape shape = joined_shape(e.inputs, Align::right);
  std::vector<Array> operands;
  for (const auto& operand : e.layer.settings.at("operands")) {
    if (const auto input = input_of(operand)) {
      operands.push_back(broadcast(*e.inputs.at(*input), shape, Align::right));
    } else {
      operands.emplace_back(shape);
      std::ranges::fill(operands.back().data, operand.get<double>());
    }
  }
  Array y(shape);
  for (std::size_t at = 0; at < y.count(); ++at)
    y.data[at] = operands[operands[0].data[at] != 0 ? 1 : 2].data[at];
  return {y};
}

bool swap_choices(Layer& layer, Framework, const std::vector<Axes>&) {
  Json& operands = layer.settings["operands"];
  if (operands.at(1) == operands.at(2)) return false;
  std::swap(operands[1], operands[2]);
  return true;
}

}  // namespace

LayerKind where() {
  LayerKind kind;
  kind.name = "where";
  kind.torch = exact({"torch.where"});
  kind.keras = exact({"ops.Where", "tf.where"});
  kind.summary = "y = a where the condition holds, b elsewhere.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.where.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = [](const Layer&, const std::vector<Axes>& inputs) {
    return std::vector<Axes>{joined_axes(inputs, Align::right)};
  };
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {{"choices",
                    "what is taken where the condition holds and what elsewhere stand in each other's place",
                    swap_choices}};
  const auto input = [](int k) { return Json{{"input", k}}; };
  kind.cases = {
      operator_case("of two tensors", "Where", Json::object(), {{2, 4, 5, 3}, {2, 4, 5, 3}, {2, 4, 5, 3}}),
      operator_case("one number", "Where", {{"args", Json::array({input(0), input(1), 0.5})}},
                    {{2, 4, 5, 3}, {2, 1, 1, 3}}),
      operator_case("two numbers", "Where", {{"args", Json::array({input(0), 1.5, -0.5})}}, {{3, 7}})};
  return kind;
}

}  // namespace tieout::layers
