#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/mistakes.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// Puts inputs one behind the other along an axis.   x: n ... a_k ...   ->   y: n ... (a_0 + a_1 + ...) ...
//
// The setting "axis" counts in the inputs' own order.

namespace tieout::layers {

namespace {

// PyTorch's dim, the axis of Keras' layer (-1), of its operator and of TensorFlow's function (0).
std::int64_t axis_number(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (lifter.is_torch()) return given.integer("dim", 0);
  if (listed_class(lifter.node()) == "Concatenate") {
    if (given.has("args")) lifter.refuse("it is called with constants", "concatenate tensors only");
    return given.integer("axis", -1);
  }
  CallArguments arguments(lifter);
  const Json values = arguments.take(0, {"xs", "values"});
  const Json axis = arguments.take_or_setting(1, {"axis"});
  arguments.finish();
  const bool tensors = values.is_array() && std::ranges::all_of(values, [](const Json& value) {
                         return input_of(value).has_value();
                       });
  if (!tensors) lifter.refuse("it is called with constants", "concatenate tensors only");
  if (!axis.is_null() && !axis.is_number_integer()) throw malformed("its axis is no number");
  return axis.is_null() ? 0 : axis.get<std::int64_t>();
}

void lift(Lifter& lifter) {
  std::int64_t rank = 0;
  for (std::size_t k = 0; k < lifter.input_count(); ++k) {
    if (!lifter.input(k).known) continue;
    const auto own = static_cast<std::int64_t>(lifter.input(k).axes.size());
    if (rank != 0 && own != rank)
      throw malformed("inputs of " + std::to_string(rank) + " and " + std::to_string(own) + " axes");
    rank = own;
  }
  const std::int64_t axis = checked_axis(axis_number(lifter), rank);
  if (axis == 0) lifter.refuse("it concatenates along the batch", "use another axis");
  Layer layer = lifter.layer("concatenate");
  layer.settings = {{"axis", axis}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  const auto axis = static_cast<std::size_t>(layer.settings["axis"].get<std::int64_t>());
  out.at(axis).parts.clear();
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    for (std::size_t k = 0; k < out.size(); ++k) {
      const std::int64_t size = inputs[i].at(k).size;
      if (k == axis) {
        out[k].size = out[k].size == unknown || size == unknown ? unknown : out[k].size + size;
      } else if (out[k].size == unknown) {
        out[k].size = size;
      } else if (size != unknown && size != out[k].size) {
        throw malformed("inputs of " + std::to_string(out[k].size) + " and " + std::to_string(size) +
                        " cells along an axis that is not concatenated");
      }
    }
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const int axis = lowerer.target_axis(0, lowerer.layer().settings["axis"].get<int>());
  if (lowerer.to_torch()) {
    lowerer.add("torch.cat", {{"dim", axis}}, "torch.cat(({*}), dim=" + std::to_string(axis) + ")");
    return;
  }
  FrameworkNode node;
  node.class_name = "Concatenate";
  node.settings = {{"axis", axis == static_cast<int>(lowerer.axes().size()) - 1 ? -1 : axis}};
  node.inputs_as_list = true;
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const auto axis = static_cast<std::size_t>(e.integer("axis"));
  Shape shape = e.inputs[0]->shape;
  shape[axis] = 0;
  std::size_t outer = 1;
  for (const Array* x : e.inputs) {
    if (x->rank() != shape.size()) throw malformed("it concatenates inputs of different ranks");
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (k != axis && x->size(k) != shape[k]) throw malformed("it concatenates inputs of different sizes");
    }
    shape[axis] += x->size(axis);
  }
  for (std::size_t k = 0; k < axis; ++k) outer *= static_cast<std::size_t>(shape[k]);
  Array y(shape);
  auto into = y.data.begin();
  for (std::size_t row = 0; row < outer; ++row) {
    for (const Array* x : e.inputs) {
      const auto width = static_cast<std::ptrdiff_t>(x->count() / outer);
      const auto from = x->data.begin() + static_cast<std::ptrdiff_t>(row) * width;
      into = std::copy(from, from + width, into);
    }
  }
  return {y};
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const Json& settings, const std::vector<Shape>& shapes) {
    Case test = keras_case(name, "Concatenate", settings, shapes[0]);
    test.input_shapes = shapes;
    return test;
  };
  return {made("channels", Json::object(), {{2, 4, 5, 3}, {2, 4, 5, 2}}),
          made("cubes", Json::object(), {{2, 4, 4, 4}, {2, 4, 4, 4}}),
          made("rows", {{"axis", 1}}, {{2, 4, 5, 3}, {2, 1, 5, 3}}),
          made("columns of a sequence", {{"axis", 1}}, {{2, 5, 3}, {2, 4, 3}}),
          operator_case(
              "the operator", "Concatenate",
              {{"axis", -1}, {"args", Json::array({Json::array({Json{{"input", 0}}, Json{{"input", 1}}})})}},
              {{2, 4, 5, 3}, {2, 4, 5, 2}}),
          made("features, three inputs", Json::object(), {{3, 4}, {3, 2}, {3, 1}})};
}

}  // namespace

LayerKind concatenate() {
  LayerKind kind;
  kind.name = "concatenate";
  kind.torch = exact({"torch.cat"});
  kind.keras = exact({"Concatenate", "ops.Concatenate", "tf.concat"});
  kind.summary = "Puts inputs one behind the other along an axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.cat.html",
                  "https://keras.io/api/layers/merging_layers/concatenate/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout"),
      reversed_inputs_mistake("the inputs stand in the reverse order")};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
