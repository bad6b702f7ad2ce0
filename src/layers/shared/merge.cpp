#include "layers/shared/merge.h"

#include <algorithm>

#include "base/parallel.h"
#include "layers/record/class_name.h"
#include "layers/shared/broadcast.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/merge_write.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/outputs.h"
#include "tieout/error.h"

namespace tieout {

namespace {

using Forms = std::vector<Merge>;

bool reads(const Merge& form, Framework framework, const std::string& name) {
  if (framework == Framework::torch) return name == form.torch_function;
  if (std::ranges::find(form.tensorflow, name) != form.tensorflow.end()) return true;
  return name == form.keras_layer || (!form.keras_operator.empty() && name == "ops." + form.keras_operator);
}

const Merge& form_of(const Forms& forms, const Layer& layer) {
  const std::string name = layer.settings.value("function", layer.kind);
  const auto found = std::ranges::find(forms, name, &Merge::name);
  if (found == forms.end()) throw internal_error("there is no function " + name + " of two operands");
  return *found;
}

// What is joined; null when it is the inputs in their order.
Json read_operands(Lifter& lifter, bool is_layer) {
  if (lifter.is_torch()) return lifter.settings().raw("operands");
  if (is_layer) {
    if (lifter.settings().has("args")) lifter.refuse("it is called with constants", "join tensors only");
    return nullptr;
  }
  CallArguments arguments(lifter);
  Json operands = Json::array({arguments.take(0, {"x1", "x"}), arguments.take(1, {"x2", "y"})});
  arguments.finish();
  std::size_t inputs = 0;
  for (const auto& operand : operands) {
    const auto input = input_of(operand);
    if (input && *input != inputs++) throw malformed("its tensors are not in the order of the arguments");
    if (!input && !operand.is_number() && !operand.is_boolean()) {
      lifter.refuse("it joins a tensor with a constant that is not a number",
                    "make the constant a weight of a layer");
    }
  }
  return inputs == 2 ? Json(nullptr) : operands;
}

std::size_t rank_of(const Lifter& lifter, std::size_t k) {
  return lifter.input(k).axes.size();
}

void read_alignment(const Lifter& lifter, Layer& layer, bool is_layer) {
  for (std::size_t k = 1; k < lifter.input_count(); ++k) {
    if (!lifter.input(k).known || !lifter.input(0).known || rank_of(lifter, k) == rank_of(lifter, 0))
      continue;
    layer.settings["align"] = is_layer ? "behind_batch" : "right";
  }
}

void lift(Lifter& lifter, const std::string& kind, const Forms& forms) {
  const std::string name = listed_class(lifter.node());
  const auto framework = lifter.is_torch() ? Framework::torch : Framework::keras;
  const auto form =
      std::ranges::find_if(forms, [&](const Merge& one) { return reads(one, framework, name); });
  if (form == forms.end()) throw internal_error("the kind " + kind + " does not read " + name);
  const bool is_layer = lifter.is_keras() && name == form->keras_layer;
  Layer layer = lifter.layer(kind);
  if (forms.size() > 1) layer.settings["function"] = form->name;
  const Json operands = read_operands(lifter, is_layer);
  if (!operands.is_null()) layer.settings["operands"] = operands;
  if (operands.is_null() && lifter.input_count() < 2) {
    if (!is_layer || form->only_two) throw malformed(form->name + " takes two operands");
    // Keras' merge layers give a single input back.
    layer.kind = "identity";
    layer.settings = Json::object();
  } else if (form->only_two && operands.is_null() && lifter.input_count() != 2) {
    throw malformed(form->name + " takes two operands");
  }
  read_alignment(lifter, layer, is_layer);
  lifter.add(std::move(layer));
}

std::vector<Array> compute(const Evaluation& e, const Merge& form) {
  const Align align = align_of(e.layer);
  const Shape shape = joined_shape(e.inputs, align);
  Array y(shape);
  const Json operands = operands_of(e.layer, e.inputs.size());
  const std::size_t count = operands.size();
  for (std::size_t k = 0; k < count; ++k) {
    Array right;
    if (const auto input = input_of(operands[k])) {
      right = broadcast(*e.inputs.at(*input), shape, align);
    } else {
      right = Array(shape);
      std::ranges::fill(right.data, operands[k].is_boolean() ? (operands[k].get<bool>() ? 1.0 : 0.0)
                                                             : operands[k].get<double>());
    }
    if (k == 0) {
      y = std::move(right);
      continue;
    }
    form.join(y.data, right.data);
  }
  if (form.is_mean) {
    for (double& value : y.data) value /= static_cast<double>(count);
  }
  return {y};
}

// Tensors of one shape that lie in one order.
std::optional<std::vector<Array>> compute_fast(const Evaluation& e, const Merge& form) {
  const Json operands = operands_of(e.layer, e.inputs.size());
  if (operands.size() != e.inputs.size()) return std::nullopt;
  for (const Array* x : e.inputs) {
    if (x->shape != e.inputs[0]->shape) return std::nullopt;
  }
  for (const auto& order : e.layer.orders) {
    if (order != e.layer.output_order) return std::nullopt;
  }
  Array y = e.take(0);
  const auto inputs = static_cast<double>(e.inputs.size());
  parallel_for(static_cast<std::int64_t>(y.count()), 4096, [&](std::int64_t first, std::int64_t last) {
    const auto from = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(last - first);
    const auto joined = std::span(y.data).subspan(from, count);
    for (std::size_t k = 1; k < e.inputs.size(); ++k)
      form.join(joined, std::span(e.inputs[k]->data).subspan(from, count));
    if (!form.is_mean) return;
    for (double& number : joined) number /= inputs;
  });
  return one_output(std::move(y));
}

std::vector<std::string> keras_classes(const Merge& form) {
  std::vector<std::string> names = form.tensorflow;
  if (!form.keras_layer.empty()) names.push_back(form.keras_layer);
  if (!form.keras_operator.empty()) names.push_back("ops." + form.keras_operator);
  return names;
}

LayerKind kind_of_forms(const std::string& name, const Forms& forms) {
  LayerKind kind;
  kind.name = name;
  for (const auto& form : forms) {
    kind.torch.push_back({form.torch_function, Status::exact, ""});
    std::ranges::copy(exact(keras_classes(form)), std::back_inserter(kind.keras));
  }
  kind.sources = {"https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops",
                  "https://keras.io/api/layers/merging_layers/", "https://keras.io/api/ops/numpy/"};
  kind.lift = [name, forms](Lifter& lifter) { lift(lifter, name, forms); };
  kind.infer = [](const Layer& layer, const std::vector<Axes>& inputs) {
    return std::vector<Axes>{joined_axes(inputs, align_of(layer))};
  };
  kind.lower = [forms](Lowerer& lowerer) { write_merge(lowerer, form_of(forms, lowerer.layer())); };
  kind.compute = [forms](const Evaluation& e) { return compute(e, form_of(forms, e.layer)); };
  kind.compute_fast = [forms](const Evaluation& e) { return compute_fast(e, form_of(forms, e.layer)); };
  return kind;
}

}  // namespace

LayerKind merge_kind(const Merge& form) {
  LayerKind kind = kind_of_forms(form.name, {form});
  kind.summary = form.summary;
  if (!form.keras_layer.empty()) kind.cases = merge_layer_cases(form);
  if (!form.keras_operator.empty())
    std::ranges::copy(merge_operator_cases(form, false), std::back_inserter(kind.cases));
  return kind;
}

LayerKind merge_kind(const std::string& name, const std::vector<Merge>& forms) {
  return kind_of_forms(name, forms);
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

std::vector<Case> merge_layer_cases(const Merge& form) {
  const auto made = [&](const std::string& name, const std::vector<Shape>& shapes) {
    Case test = keras_case(name, form.keras_layer, Json::object(), shapes[0]);
    test.input_shapes = shapes;
    return test;
  };
  std::vector<Case> all = {made("images", {{2, 4, 5, 3}, {2, 4, 5, 3}}),
                           made("vectors", {{3, 7}, {3, 7}}),
                           made("a factor for each channel", {{2, 4, 5, 3}, {2, 1, 1, 3}}),
                           made("a factor for each row", {{2, 4, 5, 3}, {2, 4, 1, 1}}),
                           made("the smaller one first", {{2, 1, 1, 3}, {2, 4, 5, 3}}),
                           made("a vector and an image", {{2, 3}, {2, 4, 5, 3}}),
                           made("an image and a sequence", {{2, 4, 5, 3}, {2, 5, 3}}),
                           made("each against each", {{2, 4, 1}, {2, 1, 3}})};
  if (!form.only_two) {
    all.push_back(made("three inputs", {{2, 5, 3}, {2, 5, 3}, {2, 5, 3}}));
    all.push_back(made("three inputs of three ranks", {{2, 3}, {2, 4, 5, 3}, {2, 5, 3}}));
    all.push_back(made("one input", {{2, 4, 5, 3}}));
  }
  return all;
}

std::vector<Case> merge_operator_cases(const Merge& form, bool positive) {
  const Json x{{"input", 0}};
  const auto made = [&](const std::string& name, const std::vector<Shape>& shapes, const Json& args) {
    Case test = operator_case(name, form.keras_operator, Json::object(), shapes);
    if (!args.is_null()) test.settings = {{"args", args}};
    if (positive) test.inputs = "positive";
    return test;
  };
  return {made("tensors", {{2, 4, 5, 3}, {2, 4, 5, 3}}, nullptr),
          made("a factor for each channel", {{2, 4, 5, 3}, {2, 1, 1, 3}}, nullptr),
          made("a constant behind", {{2, 4, 5, 3}}, Json::array({x, 1.75})),
          made("a whole number in front", {{3, 7}}, Json::array({2, x}))};
}

}  // namespace tieout
