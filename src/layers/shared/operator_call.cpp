#include "layers/shared/operator_call.h"

#include <algorithm>
#include <cmath>

#include "layers/record/class_name.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// What each call may say without changing what is computed.
bool says_nothing(const std::string& name, const Json& value) {
  return value.is_null() || name == "name" || (name == "training" && value == false);
}

}  // namespace

CallArguments::CallArguments(const Lifter& lifter) : lifter_(lifter) {
  const Json& args = lifter.settings().raw("args");
  const Json& kwargs = lifter.settings().raw("kwargs");
  if (args.is_array()) {
    args_ = args;
    if (kwargs.is_object()) kwargs_ = kwargs;
    return;
  }
  Json list = Json::array();
  const auto& inputs = lifter.node().inputs;
  for (std::size_t k = 0; k < lifter.input_count(); ++k) {
    const std::string keyword = k < inputs.size() ? inputs[k].keyword : "";
    if (keyword.empty()) {
      list.push_back({{"input", k}});
    } else {
      kwargs_[keyword] = {{"input", k}};
    }
  }
  args_ = lifter.node().inputs_as_list ? Json::array({list}) : list;
}

Json CallArguments::take(std::size_t place, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto found = kwargs_.find(name);
    if (found == kwargs_.end()) continue;
    Json value = *found;
    kwargs_.erase(found);
    return value;
  }
  if (place >= args_.size()) return nullptr;
  taken_.insert(place);
  return args_[place];
}

Json CallArguments::take_or_setting(std::size_t place, const std::vector<std::string>& names) {
  Json value = take(place, names);
  return value.is_null() ? lifter_.settings().raw(names.front()) : value;
}

void CallArguments::finish() const {
  for (std::size_t k = 0; k < args_.size(); ++k) {
    if (taken_.contains(k) || args_[k].is_null()) continue;
    lifter_.refuse("its argument number " + std::to_string(k + 1) + " has no counterpart",
                   "call it without that argument");
  }
  for (const auto& [name, value] : kwargs_.items()) {
    if (!says_nothing(name, value))
      lifter_.refuse("its argument " + name + " has no counterpart", "call it without that argument");
  }
}

std::optional<std::size_t> input_of(const Json& argument) {
  if (!argument.is_object() || argument.size() != 1 || !argument.contains("input")) return std::nullopt;
  const Json& index = argument.at("input");
  if (!index.is_number_unsigned() && !(index.is_number_integer() && index >= 0))
    throw malformed("a call names the input " + index.dump());
  return index.get<std::size_t>();
}

FrameworkNode operator_node(const std::string& module, const std::string& class_name, const Json& config,
                            const Json& args) {
  FrameworkNode node;
  node.module = "keras.src.ops." + module;
  node.class_name = class_name;
  node.settings = config;
  if (!args.is_null()) {
    node.settings["args"] = args;
    node.settings["kwargs"] = Json::object();
  }
  return node;
}

Case operator_case(const std::string& name, const std::string& class_name, const Json& settings,
                   const std::vector<Shape>& inputs) {
  Case made = keras_case(name, "ops." + class_name, settings, inputs.at(0));
  made.input_shapes = inputs;
  return made;
}

std::string python_number(const Json& number) {
  if (number.is_boolean()) return number.get<bool>() ? "True" : "False";
  if (number.is_number_float() && !std::isfinite(number.get<double>())) {
    const double value = number.get<double>();
    return std::isnan(value) ? "float(\"nan\")" : value > 0 ? "float(\"inf\")" : "float(\"-inf\")";
  }
  return number.dump();
}

std::string python_tuple(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "(" + text + (numbers.size() == 1 ? ",)" : ")");
}

std::string free_axis_name(const Axes& axes, const std::string& wanted) {
  std::string name = wanted;
  for (int k = 2; std::ranges::find(axes, name, &Axis::name) != axes.end(); ++k)
    name = wanted + std::to_string(k);
  return name;
}

}  // namespace tieout
