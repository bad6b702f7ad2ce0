#include "layers/shared/merge_write.h"

#include <algorithm>

#include "layers/shared/broadcast.h"
#include "layers/shared/operator_call.h"

namespace tieout {

namespace {

std::string input_text(const Json& operand) {
  return "{" + std::to_string(input_of(operand).value()) + "}";
}

std::string constant_text(const Json& operand, const Merge& form, const std::string& input) {
  const std::string number = python_number(operand);
  if (form.tensors_only) return input + ".new_tensor(" + number + ")";
  return number.starts_with('-') ? "(" + number + ")" : number;
}

std::string torch_expression(const Merge& form, const Json& operands) {
  const auto tensor =
      std::ranges::find_if(operands, [](const Json& operand) { return input_of(operand).has_value(); });
  const std::string input = input_text(*tensor);
  if (form.torch_constant) {
    for (const auto& operand : operands) {
      if (!input_of(operand)) return form.torch_constant(input, python_number(operand));
    }
  }
  std::string call;
  for (const auto& operand : operands) {
    const std::string text = input_of(operand) ? input_text(operand) : constant_text(operand, form, input);
    call = call.empty() ? text : form.torch_call(call, text);
  }
  return call;
}

void write_torch(Lowerer& lowerer, const Merge& form, const std::vector<ValueRef>& values) {
  const Json operands = operands_of(lowerer.layer(), values.size());
  std::string call = torch_expression(form, operands);
  if (form.is_mean) call = "(" + call + ") / " + std::to_string(operands.size());
  FrameworkNode node;
  node.class_name = form.torch_function;
  node.settings = Json::object();
  if (operands.size() != values.size()) node.settings["operands"] = operands;
  node.call = call;
  for (const auto& value : values) node.inputs.push_back({value, {}});
  lowerer.add_node(std::move(node));
}

// keras.ops.add (keras/src/backend/tensorflow/numpy.py, 3.15) takes a second operand that has more than one
// cell along one axis only for a bias, and adds it along the last axis or else axis 1, if the sizes agree,
// whatever axis it is. Run on a whole batch of one, or with nothing but the batch in the second operand, it
// then adds along a wrong axis.
bool takes_for_bias(const Axes& left, const Axes& right) {
  std::vector<std::size_t> wide;
  for (std::size_t k = 1; k < right.size(); ++k) {
    if (right[k].size != 1) wide.push_back(k);
  }
  if (wide.size() > 1 || left.size() < 2) return false;
  const auto may_be = [&](std::size_t axis, std::int64_t size) {
    return left[axis].size == size || left[axis].size == unknown || size == unknown;
  };
  const std::size_t last = left.size() - 1;
  // The batch alone: of any size.
  if (wide.empty()) return right.size() > 1 && (left[1].size != 1 || left[last].size != 1);
  const std::int64_t size = right[wide[0]].size;
  const bool on_last = may_be(last, size);
  const bool on_first = may_be(1, size);
  if (wide[0] == last) return !on_last && on_first && last != 1;
  return on_last || (wide[0] != 1 && on_first);
}

FrameworkNode with_inputs(FrameworkNode node, const std::vector<ValueRef>& values) {
  for (const auto& value : values) node.inputs.push_back({value, {}});
  return node;
}

// a + b as a - (-b), where keras.ops.add would go wrong.
ValueRef add_safely(Lowerer& lowerer, const ValueRef& left, const ValueRef& right,
                    const std::string& helper) {
  lowerer.add_node(with_inputs(operator_node("numpy", "Negative", Json::object()), {right}), "negative");
  const ValueRef negative = lowerer.inputs().at(0);
  lowerer.add_node(with_inputs(operator_node("numpy", "Subtract", Json::object()), {left, negative}), helper);
  return lowerer.inputs().at(0);
}

// The sum, one input after another, as the layers Add and Average do it.
void write_sum(Lowerer& lowerer, const Merge& form, const std::vector<ValueRef>& values,
               const std::vector<Axes>& axes) {
  ValueRef sum = values[0];
  Axes sum_axes = axes[0];
  for (std::size_t k = 1; k < values.size(); ++k) {
    const bool is_last = k + 1 == values.size() && !form.is_mean;
    const std::string helper = is_last ? "" : "sum";
    if (takes_for_bias(sum_axes, axes[k])) {
      sum = add_safely(lowerer, sum, values[k], helper);
    } else {
      lowerer.add_node(with_inputs(operator_node("numpy", "Add", Json::object()), {sum, values[k]}), helper);
      sum = lowerer.inputs().at(0);
    }
    sum_axes = lowerer.axes();
  }
  if (!form.is_mean) return;
  const Json count = static_cast<std::int64_t>(values.size());
  lowerer.add_node(
      with_inputs(operator_node("numpy", "TrueDivide", Json::object(), Json{{{"input", 0}}, count}), {sum}));
}

bool sum_goes_wrong(const std::vector<Axes>& axes) {
  Axes sum = axes[0];
  for (std::size_t k = 1; k < axes.size(); ++k) {
    if (takes_for_bias(sum, axes[k])) return true;
    sum = joined_axes({sum, axes[k]}, Align::right);
  }
  return false;
}

void write_keras(Lowerer& lowerer, const Merge& form, const std::vector<ValueRef>& values,
                 const std::vector<Axes>& axes) {
  const Json operands = operands_of(lowerer.layer(), values.size());
  const bool is_sum = form.keras_layer == "Add" || form.keras_layer == "Average";
  if (is_sum && operands.size() == values.size() && sum_goes_wrong(axes)) {
    write_sum(lowerer, form, values, axes);
  } else if (operands.size() == values.size() && !form.keras_layer.empty()) {
    FrameworkNode node;
    node.class_name = form.keras_layer;
    node.settings = Json::object();
    node.inputs_as_list = true;
    lowerer.add_node(with_inputs(std::move(node), values));
  } else {
    const Json args = operands.size() == values.size() ? Json(nullptr) : operands;
    lowerer.add_node(with_inputs(operator_node("numpy", form.keras_operator, Json::object(), args), values));
  }
}

}  // namespace

Json operands_of(const Layer& layer, std::size_t inputs) {
  if (layer.settings.contains("operands")) return layer.settings.at("operands");
  Json operands = Json::array();
  for (std::size_t k = 0; k < inputs; ++k) operands.push_back({{"input", k}});
  return operands;
}

void write_merge(Lowerer& lowerer, const Merge& form) {
  const Arranged arranged = brought_together(lowerer);
  if (lowerer.to_torch())
    write_torch(lowerer, form, arranged.values);
  else
    write_keras(lowerer, form, arranged.values, arranged.axes);
}

}  // namespace tieout
