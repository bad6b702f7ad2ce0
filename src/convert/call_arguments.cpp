#include "convert/call_arguments.h"

#include <algorithm>

namespace tieout {

namespace {

std::optional<std::size_t> number_of(const Json& argument) {
  if (!argument.is_object() || argument.size() != 1 || !argument.contains("input")) return std::nullopt;
  return argument.at("input").get<std::size_t>();
}

bool has_args(const FrameworkNode& node) {
  return node.settings.is_object() && node.settings.contains("args");
}

// States the call in the settings, as the reader of the file does where it passes constants.
void state_call(FrameworkNode& node) {
  if (has_args(node)) return;
  Json args = Json::array();
  Json kwargs = Json::object();
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    const std::string& keyword = node.inputs[k].keyword;
    if (keyword.empty()) {
      args.push_back({{"input", k}});
    } else if (!kwargs.contains(keyword)) {
      kwargs[keyword] = {{"input", k}};
    } else {
      if (!kwargs[keyword].is_array()) kwargs[keyword] = Json::array({kwargs[keyword]});
      kwargs[keyword].push_back({{"input", k}});
    }
  }
  node.settings["args"] = node.inputs_as_list ? Json::array({args}) : args;
  node.settings["kwargs"] = kwargs;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the file's JSON, which is bounded.
void renumber(Json& argument, const std::vector<std::size_t>& numbers) {
  if (const auto number = number_of(argument)) {
    argument["input"] = numbers.at(*number);
  } else if (argument.is_structured()) {
    for (Json& part : argument) renumber(part, numbers);
  }
}

}  // namespace

void name_arguments(FrameworkNode& node, std::size_t first, const std::vector<std::string>& names) {
  if (!has_args(node)) {
    if (node.inputs_as_list) return;
    std::size_t place = 0;
    for (NodeInput& input : node.inputs) {
      if (!input.keyword.empty()) continue;
      if (place >= first && place < names.size()) input.keyword = names[place];
      ++place;
    }
    return;
  }
  Json& args = node.settings["args"];
  for (std::size_t place = first; place < std::min(args.size(), names.size()); ++place) {
    const Json argument = args[place];
    for (const Json& one : argument.is_array() ? argument : Json::array({argument})) {
      if (const auto number = number_of(one)) node.inputs.at(*number).keyword = names[place];
    }
    if (!argument.is_null()) node.settings["kwargs"][names[place]] = argument;
  }
  while (args.size() > first) args.erase(args.size() - 1);
}

std::optional<std::size_t> argument_of(const FrameworkNode& node, std::size_t place,
                                       const std::string& name) {
  if (has_args(node)) {
    const Json& args = node.settings["args"];
    if (place < args.size()) return number_of(args[place]);
    return number_of(stated_argument(node, name));
  }
  std::size_t at = 0;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    const bool by_place = node.inputs[k].keyword.empty() && at++ == place;
    if (by_place || node.inputs[k].keyword == name) return k;
  }
  return std::nullopt;
}

std::vector<std::size_t> listed_arguments(const FrameworkNode& node) {
  std::vector<std::size_t> numbers;
  if (has_args(node)) {
    const Json& args = node.settings["args"];
    const Json& list = !args.empty() && args[0].is_array() ? args[0] : args;
    for (const Json& argument : list) {
      if (const auto number = number_of(argument)) numbers.push_back(*number);
    }
    return numbers;
  }
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (node.inputs[k].keyword.empty()) numbers.push_back(k);
  }
  return numbers;
}

Json stated_argument(const FrameworkNode& node, const std::string& name) {
  FrameworkNode stated = node;
  state_call(stated);
  const Json& kwargs = stated.settings["kwargs"];
  return kwargs.is_object() ? kwargs.value(name, Json()) : Json();
}

void add_argument(FrameworkNode& node, const std::string& name, const ValueRef& value) {
  if (has_args(node)) node.settings["kwargs"][name] = {{"input", node.inputs.size()}};
  node.inputs.push_back({value, name});
}

void add_list_argument(FrameworkNode& node, const std::string& name,
                       const std::vector<std::optional<ValueRef>>& values) {
  state_call(node);
  Json list = Json::array();
  for (const auto& value : values) {
    list.push_back(value ? Json{{"input", node.inputs.size()}} : Json());
    if (value) node.inputs.push_back({*value, name});
  }
  node.settings["kwargs"][name] = list;
}

void remove_arguments(FrameworkNode& node, const std::set<std::string>& names) {
  std::vector<NodeInput> kept;
  std::vector<std::size_t> numbers;
  for (const NodeInput& input : node.inputs) {
    numbers.push_back(kept.size());
    if (!names.contains(input.keyword)) kept.push_back(input);
  }
  node.inputs = std::move(kept);
  if (!has_args(node)) return;
  for (const std::string& name : names) node.settings["kwargs"].erase(name);
  renumber(node.settings["args"], numbers);
  renumber(node.settings["kwargs"], numbers);
}

}  // namespace tieout
