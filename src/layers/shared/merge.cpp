#include "layers/shared/merge.h"

#include <algorithm>

#include "layers/shared/elementwise.h"
#include "tieout/error.h"

namespace tieout {

namespace {

void lift(Lifter& lifter, const Merge& form) {
  const auto& given = lifter.settings();
  if (given.has("args") || given.has("kwargs")) {
    lifter.refuse("it joins a tensor with a constant", "use a layer for it, such as Rescaling");
  }
  if (lifter.input_count() < 2) lifter.refuse("it has one input", "leave it out");
  if (form.only_two && lifter.input_count() != 2) throw malformed(form.name + " takes two inputs");
  for (std::size_t k = 1; k < lifter.input_count(); ++k) {
    if (lifter.input(0).known && lifter.input(k).known &&
        lifter.input(k).axes.size() != lifter.input(0).axes.size()) {
      lifter.refuse("its inputs have " + std::to_string(lifter.input(0).axes.size()) + " and " +
                        std::to_string(lifter.input(k).axes.size()) +
                        " axes, which the frameworks align differently",
                    "reshape the smaller one to the same number of axes");
    }
  }
  lifter.add(lifter.layer(form.name));
}

std::vector<Axes> infer(const Layer&, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  for (const auto& input : inputs) {
    for (std::size_t k = 0; k < out.size(); ++k) {
      const std::int64_t size = input.at(k).size;
      if (out[k].size == 1 || (out[k].size == unknown && size != 1)) {
        if (out[k].size == 1 && size != 1) out[k].parts = input[k].parts;
        out[k].size = size;
      } else if (size != out[k].size && size != 1 && size != unknown) {
        throw malformed("inputs of " + std::to_string(out[k].size) + " and " + std::to_string(size) +
                        " cells along one axis");
      }
    }
  }
  return {out};
}

void lower(Lowerer& lowerer, const Merge& form) {
  if (lowerer.to_keras()) {
    FrameworkNode node;
    node.class_name = form.keras_class;
    node.settings = Json::object();
    node.inputs_as_list = true;
    lowerer.add_node(std::move(node));
    return;
  }
  std::string call = form.torch_call("{0}", "{1}");
  for (std::size_t k = 2; k < lowerer.inputs().size(); ++k)
    call = form.torch_call(call, "{" + std::to_string(k) + "}");
  if (form.is_mean) call = "(" + call + ") / " + std::to_string(lowerer.inputs().size());
  lowerer.add(form.torch_function, Json::object(), call);
}

// Where in `x` the element lies that meets element `at` of an array of the shape `shape`.
std::size_t place(std::size_t at, const Shape& shape, const Array& x) {
  std::size_t offset = 0;
  std::size_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[k]);
    const auto own = static_cast<std::size_t>(x.size(k));
    offset += own == 1 ? 0 : at % size * stride;
    at /= size;
    stride *= own;
  }
  return offset;
}

std::vector<Array> compute(const Evaluation& e, const Merge& form) {
  Shape shape = e.inputs[0]->shape;
  for (const Array* x : e.inputs) {
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (shape[k] == 1) shape[k] = x->size(k);
    }
  }
  Array y(shape);
  for (std::size_t at = 0; at < y.count(); ++at) {
    double value = e.inputs[0]->data[place(at, shape, *e.inputs[0])];
    for (std::size_t k = 1; k < e.inputs.size(); ++k) {
      value = form.join(value, e.inputs[k]->data[place(at, shape, *e.inputs[k])]);
    }
    y.data[at] = form.is_mean ? value / static_cast<double>(e.inputs.size()) : value;
  }
  return {y};
}

std::vector<Case> cases(const Merge& form) {
  const auto made = [&](const std::string& name, const std::vector<Shape>& shapes) {
    Case test = keras_case(name, form.keras_class, Json::object(), shapes[0]);
    test.input_shapes = shapes;
    return test;
  };
  std::vector<Case> all = {made("images", {{2, 4, 5, 3}, {2, 4, 5, 3}}), made("vectors", {{3, 7}, {3, 7}}),
                           made("a factor for each channel", {{2, 4, 5, 3}, {2, 1, 1, 3}})};
  if (!form.only_two) all.push_back(made("three inputs", {{2, 5, 3}, {2, 5, 3}, {2, 5, 3}}));
  return all;
}

}  // namespace

LayerKind merge_kind(const Merge& form) {
  LayerKind kind;
  kind.name = form.name;
  kind.torch = exact({form.torch_function});
  kind.keras = exact({form.keras_class});
  kind.summary = form.summary;
  kind.sources = {"https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops",
                  "https://keras.io/api/layers/merging_layers/"};
  kind.lift = [form](Lifter& lifter) { lift(lifter, form); };
  kind.infer = infer;
  kind.lower = [form](Lowerer& lowerer) { lower(lowerer, form); };
  kind.compute = [form](const Evaluation& e) { return compute(e, form); };
  kind.cases = cases(form);
  return kind;
}

std::function<std::string(const std::string&, const std::string&)> infix(const std::string& sign) {
  return
      [sign](const std::string& left, const std::string& right) { return left + " " + sign + " " + right; };
}

std::function<std::string(const std::string&, const std::string&)> prefix(const std::string& function) {
  return [function](const std::string& left, const std::string& right) {
    return function + "(" + left + ", " + right + ")";
  };
}

}  // namespace tieout
