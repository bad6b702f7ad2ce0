#include "report/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "convert/plan.h"
#include "report/terminal.h"

namespace tieout {

namespace {

// The tensor's layer, by the tensor's full name.
std::map<std::string, std::string> layers_of_tensors(const FrameworkModel& file) {
  std::map<std::string, std::string> layers;
  for (const auto& node : file.nodes) {
    for (const auto& parameter : node.parameters) layers.emplace(parameter.tensor, node.name);
  }
  return layers;
}

// "conv2d/kernel" where the layer knows the variable's name, the name in the file otherwise.
std::map<std::string, std::string> shown_names(const FrameworkModel& file) {
  std::map<std::string, std::string> names;
  if (file.framework != Framework::keras) return names;
  for (const auto& node : file.nodes) {
    for (const auto& parameter : node.parameters) {
      if (!parameter.name.empty()) names.emplace(parameter.tensor, node.name + "/" + parameter.name);
    }
  }
  return names;
}

// Tensors in the order of their layers, as both frameworks list them, whatever the file's own order is; then
// the rest. A state_dict's own order stays, in which modules may stand otherwise than they run.
std::vector<NamedTensor> in_layer_order(const FrameworkModel& file) {
  if (file.framework == Framework::torch && file.order == TensorOrder::as_defined) return file.tensors;
  std::vector<NamedTensor> ordered;
  std::set<std::string> listed;
  for (const auto& node : file.nodes) {
    for (const auto& parameter : node.parameters) {
      const LazyTensor* tensor = file.find_tensor(parameter.tensor);
      if (tensor != nullptr && listed.insert(parameter.tensor).second)
        ordered.push_back({parameter.tensor, *tensor});
    }
  }
  for (const auto& named : file.tensors) {
    if (!listed.contains(named.name)) ordered.push_back(named);
  }
  return ordered;
}

// Of each tensor that is the same memory as one listed before it (tied weights), the name of that one.
std::map<std::string, std::string> same_as(const std::vector<NamedTensor>& listed) {
  std::map<std::string, std::string> first;  // storage -> name
  std::map<std::string, std::string> same;
  for (const auto& [name, tensor] : listed) {
    if (tensor.storage.empty() || element_count(tensor.shape) == 0) continue;
    const std::string identity =
        tensor.storage + " " + std::string(to_string(tensor.dtype)) + " " + to_string(tensor.shape);
    const auto [known, is_new] = first.emplace(identity, name);
    if (!is_new) same.emplace(name, known->second);
  }
  return same;
}

// The last value that each node makes; nullptr where it was refused or the file holds no architecture.
std::vector<const Value*> outputs_of_nodes(const FrameworkModel& file, const Model& model) {
  std::vector<const Value*> outputs(file.nodes.size(), nullptr);
  for (const auto& layer : model.layers) {
    const auto node = static_cast<std::size_t>(layer.node);
    if (node < outputs.size() && !layer.outputs.empty())
      outputs[node] = &model.values[static_cast<std::size_t>(layer.outputs[0])];
  }
  for (const Value*& value : outputs) {
    if (value != nullptr && !value->known) value = nullptr;
  }
  return outputs;
}

std::uint64_t node_parameters(const FrameworkModel& file, const FrameworkNode& node,
                              std::set<std::string>& counted) {
  std::uint64_t count = 0;
  for (const auto& parameter : node.parameters) {
    const LazyTensor* tensor = file.find_tensor(parameter.tensor);
    if (tensor != nullptr && counted.insert(parameter.tensor).second) count += element_count(tensor->shape);
  }
  return count;
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

struct Row {
  std::vector<std::string> cells;
};

// Left-aligned columns, two spaces between them.
std::string table(std::vector<Row> rows) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) std::ranges::transform(row.cells, row.cells.begin(), printable);
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.cells.size()), 0);
    for (std::size_t k = 0; k < row.cells.size(); ++k) widths[k] = std::max(widths[k], row.cells[k].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t k = 0; k < row.cells.size(); ++k)
      line += fmt::format("{:<{}}  ", row.cells[k], widths[k]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += "  " + line + "\n";
  }
  return text;
}

Json values_json(const Model& model, const std::vector<int>& values, const std::vector<std::string>& names) {
  Json list = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value& value = model.values[static_cast<std::size_t>(values[i])];
    Json entry = {
        {"name", i < names.size() ? names[i] : std::to_string(i)}, {"axes", nullptr}, {"shape", nullptr}};
    if (value.known) {
      entry["axes"] = to_pattern(value.axes);
      entry["shape"] = Json::array();
      for (const auto& axis : value.axes)
        entry["shape"].push_back(axis.size == unknown ? Json(nullptr) : Json(axis.size));
    }
    list.push_back(entry);
  }
  return list;
}

Json shape_json(const Value* value) {
  if (value == nullptr) return nullptr;
  Json shape = Json::array();
  for (const auto& axis : value->axes)
    shape.push_back(axis.size == unknown ? Json(nullptr) : Json(axis.size));
  return shape;
}

std::string inputs_line(const Model& model) {
  std::string text;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const Value& value = model.values[static_cast<std::size_t>(model.inputs[i])];
    text += fmt::format(
        "{}{} {}", i > 0 ? ", " : "", printable(model.input_names[i]),
        value.known ? to_string(shape_of(value.axes)) + " as " + to_pattern(value.axes) : "of unknown shape");
  }
  return text;
}

}  // namespace

std::uint64_t parameter_count(const FrameworkModel& file) {
  std::set<std::string> counted;
  std::uint64_t count = 0;
  for (const auto& node : file.nodes) count += node_parameters(file, node, counted);
  if (!counted.empty()) return count;
  for (const auto& named : file.tensors) count += element_count(named.tensor.shape);
  return count;
}

std::string inspect_text(const FrameworkModel& file, const Model& model) {
  std::string text =
      fmt::format("{}: {} ({})\n", printable(file.file), file.format, to_string(file.framework));
  if (!model.inputs.empty()) text += "input: " + inputs_line(model) + "\n";
  std::set<std::string> counted;
  const std::vector<const Value*> outputs = outputs_of_nodes(file, model);
  std::vector<Row> rows{{{"layer", "class", "output shape", "parameters"}}};
  for (std::size_t i = 0; i < file.nodes.size(); ++i) {
    const auto& node = file.nodes[i];
    const Value* output = outputs[i];
    rows.push_back(
        {{node.name.empty() ? "(root)" : node.name, node.class_name.empty() ? "?" : node.class_name,
          output != nullptr ? to_string(shape_of(output->axes)) : "?",
          with_commas(node_parameters(file, node, counted))}});
  }
  if (!file.nodes.empty()) text += "\n" + table(rows);
  rows = {{{"tensor", "dtype", "shape"}}};
  std::uint64_t bytes = 0;
  const auto names = shown_names(file);
  const auto listed = in_layer_order(file);
  const auto same = same_as(listed);
  for (const auto& [name, tensor] : listed) {
    const auto shown = names.find(name);
    rows.push_back({{shown == names.end() ? name : shown->second, std::string(to_string(tensor.dtype)),
                     to_string(tensor.shape)}});
    if (const auto first = same.find(name); first != same.end())
      rows.back().cells.push_back("the same as " + first->second);
    bytes += byte_count(tensor.shape, tensor.dtype);
  }
  if (!file.tensors.empty()) text += "\n" + table(rows);
  text +=
      fmt::format("\n{} parameters in layers, {} tensors, {:.2f} MiB\n", with_commas(parameter_count(file)),
                  file.tensors.size(), static_cast<double>(bytes) / (1024.0 * 1024.0));
  if (!file.has_architecture)
    text += "The file holds no architecture: layers are groups of tensors by name.\n";
  return text;
}

Json inspect_json(const FrameworkModel& file, const Model& model) {
  Json layers = Json::array();
  const std::vector<const Value*> outputs = outputs_of_nodes(file, model);
  std::set<std::string> counted;
  for (std::size_t i = 0; i < file.nodes.size(); ++i) {
    const auto& node = file.nodes[i];
    layers.push_back({{"name", node.name},
                      {"class", node.class_name},
                      {"output_shape", shape_json(outputs[i])},
                      {"parameters", node_parameters(file, node, counted)}});
  }
  const auto of_layer = layers_of_tensors(file);
  const auto names = shown_names(file);
  Json tensors = Json::array();
  const auto listed = in_layer_order(file);
  const auto same = same_as(listed);
  for (const auto& [name, tensor] : listed) {
    const auto first = same.find(name);
    const auto layer = of_layer.find(name);
    const auto shown = names.find(name);
    tensors.push_back({{"name", shown == names.end() ? name : shown->second},
                       {"dtype", to_string(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"layer", layer == of_layer.end() ? Json(nullptr) : Json(layer->second)},
                       {"path", name},
                       {"same_as", first == same.end() ? Json(nullptr) : Json(first->second)}});
  }
  return {{"format", file.format},
          {"framework", to_string(file.framework)},
          {"architecture", file.has_architecture},
          {"inputs", values_json(model, model.inputs, model.input_names)},
          {"outputs", values_json(model, model.outputs, {})},
          {"layers", layers},
          {"tensors", tensors},
          {"parameters", parameter_count(file)},
          {"findings", to_json(model.findings)}};
}

}  // namespace tieout
