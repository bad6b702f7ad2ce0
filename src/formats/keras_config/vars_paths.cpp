#include "formats/keras_config/vars_paths.h"

#include <map>

namespace tieout::keras {

namespace {

// The attribute that holds a sublayer, by the sublayer's name; empty when not known.
std::string attribute_of(const std::string& sublayer) {
  static const std::map<std::string, std::string> attributes{
      {"query", "query_dense"},    {"key", "key_dense"},
      {"value", "value_dense"},    {"attention_output", "output_dense"},
      {"lstm_cell", "cell"},       {"gru_cell", "cell"},
      {"simple_rnn_cell", "cell"}, {"conv_lstm_cell", "cell"}};
  if (const auto found = attributes.find(sublayer); found != attributes.end()) return found->second;
  if (sublayer.starts_with("forward_")) return "forward_layer";
  if (sublayer.starts_with("backward_")) return "backward_layer";
  return {};
}

std::string group_of(const FrameworkNode& node, const NodeParameter& parameter) {
  std::string group;
  std::string rest = parameter.name;
  for (auto slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
    const std::string attribute = attribute_of(rest.substr(0, slash));
    if (attribute.empty()) {
      throw unsupported(
          "the place of the variable " + parameter.name + " in a Keras 3 weights file is not known",
          {.file = {}, .entry = {}, .offset = {}, .tensor = parameter.tensor, .layer = node.name},
          "write a .h5 instead");
    }
    group += attribute + "/";
    rest = rest.substr(slash + 1);
  }
  return group + "vars/";
}

}  // namespace

std::vector<std::string> vars_paths(const FrameworkNode& node) {
  std::vector<std::string> paths;
  std::map<std::string, int> used;
  for (const NodeParameter& parameter : node.parameters) {
    if (!parameter.path.empty()) {
      paths.push_back(parameter.path);
      continue;
    }
    const std::string group = group_of(node, parameter);
    paths.push_back(group + std::to_string(used[group]++));
  }
  return paths;
}

}  // namespace tieout::keras
