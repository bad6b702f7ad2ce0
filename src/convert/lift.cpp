#include "convert/lift.h"

#include <algorithm>
#include <array>
#include <utility>

#include "convert/constraints.h"
#include "convert/masks.h"
#include "convert/precision.h"
#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Names for axes that no layer has named, by rank and framework: what people call them.
std::vector<std::string> usual_names(Framework framework, std::size_t rank) {
  switch (rank) {
    case 1:
      return {"n"};
    case 2:
      return {"n", "f"};
    case 3:
      return {"n", "t", "f"};
    case 4:
      return framework == Framework::torch ? std::vector<std::string>{"n", "c", "h", "w"}
                                           : std::vector<std::string>{"n", "h", "w", "c"};
    case 5:
      return framework == Framework::torch ? std::vector<std::string>{"n", "c", "d", "h", "w"}
                                           : std::vector<std::string>{"n", "d", "h", "w", "c"};
    default:
      break;
  }
  std::vector<std::string> names{"n"};
  for (std::size_t k = 1; k < rank; ++k) names.push_back("a" + std::to_string(k));
  return names;
}

// "_0_1": axis 1 of input 0, until a layer names it.
std::string unnamed(std::size_t input, std::size_t axis) {
  return "_" + std::to_string(input) + "_" + std::to_string(axis);
}

Shape with_batch(const Shape& shape) {
  Shape full{unknown};
  full.insert(full.end(), shape.begin(), shape.end());
  return full;
}

// The shape that the user gave for an input, or the file's. Both: they must agree where both know a size.
Shape input_shape(const ModelInput& input, const InputShapes& shapes, bool only_one) {
  auto given = shapes.find(input.name);
  if (given == shapes.end() && only_one) given = shapes.find("");
  if (given == shapes.end()) return input.shape;
  Shape full = with_batch(given->second);
  if (input.shape.empty()) return full;
  bool fits = full.size() == input.shape.size();
  for (std::size_t k = 1; fits && k < full.size(); ++k) {
    fits = input.shape[k] == unknown || input.shape[k] == full[k];
  }
  if (!fits) {
    throw usage_error("--input-shape gives " + to_string(full) + " for the input " + input.name +
                          ", the model has " + to_string(input.shape),
                      "leave it out, or give the model's own sizes without the batch");
  }
  return full;
}

void add_inputs(Model& model, const FrameworkModel& source, const InputShapes& shapes) {
  for (const auto& [name, shape] : shapes) {
    const bool found = std::ranges::find(source.inputs, name, &ModelInput::name) != source.inputs.end();
    if (!found && !(name.empty() && source.inputs.size() == 1)) {
      std::string known;
      for (const auto& input : source.inputs) known += (known.empty() ? "" : ", ") + input.name;
      throw usage_error(name.empty()
                            ? "--input-shape needs a name where a model has several inputs"
                            : "--input-shape names an input " + name + " that the model does not have",
                        "inputs: " + known);
    }
  }
  for (std::size_t i = 0; i < source.inputs.size(); ++i) {
    const auto& input = source.inputs[i];
    const Shape shape = input_shape(input, shapes, source.inputs.size() == 1);
    Value value;
    value.known = !shape.empty();
    value.dtype = input.dtype;
    const bool named = input.axes.size() == shape.size();
    for (std::size_t k = 0; k < shape.size(); ++k) {
      value.axes.push_back({named ? input.axes[k] : unnamed(i, k), k == 0 ? unknown : shape[k], {}});
    }
    model.inputs.push_back(static_cast<int>(model.values.size()));
    model.input_names.push_back(input.name);
    model.values.push_back(std::move(value));
  }
}

Where where_node(const FrameworkModel& source, const FrameworkNode& node) {
  Where where;
  where.file = source.file;
  where.layer = node.name;
  return where;
}

bool is_index(DType dtype) {
  return dtype == DType::i32 || dtype == DType::i64;
}

// Output values of the nodes lifted so far; empty for a node that was refused.
using NodeValues = std::vector<std::vector<int>>;

// The values that the node takes, or nothing when one of them comes from a refused node.
std::optional<std::vector<int>> input_values(const Model& model, const FrameworkNode& node,
                                             const NodeValues& values) {
  std::vector<int> inputs;
  for (const auto& input : node.inputs) {
    const auto output = static_cast<std::size_t>(input.value.output);
    if (input.value.node == ValueRef::model_input) {
      inputs.push_back(model.inputs.at(output));
      continue;
    }
    const auto& made = values.at(static_cast<std::size_t>(input.value.node));
    if (output >= made.size()) return std::nullopt;
    inputs.push_back(made[output]);
  }
  return inputs;
}

void refuse(Model& model, const FrameworkNode& node, const std::string& reason, const std::string& way_out) {
  const std::string name = node.name.empty() ? "the whole model" : node.name;
  const std::string named = node.class_name.empty() ? "" : " (" + listed_class(node) + ")";
  model.findings.push_back({Severity::forbids, name + named, reason, way_out});
}

// The kind and the name under which it lists the node's class. Operators whose name no layer has may be
// listed without the prefix.
std::pair<const LayerKind*, std::string> kind_of_node(Framework framework, const FrameworkNode& node) {
  const std::string name = listed_class(node);
  const LayerKind* kind = kind_of_class(framework, name);
  if (kind != nullptr || !is_keras_operator(node)) return {kind, name};
  kind = kind_of_class(framework, node.class_name);
  return {kind, kind == nullptr ? name : node.class_name};
}

const LayerKind* kind_of(Model& model, const FrameworkNode& node) {
  const auto [kind, name] = kind_of_node(model.framework, node);
  if (kind == nullptr) {
    const bool own_code = model.framework == Framework::torch && name.find('.') != std::string::npos;
    refuse(model, node,
           own_code ? "the class " + name + " is code of its own, which is not in the file and never run"
                    : "the class " + name + " is not supported",
           own_code
               ? "save its state_dict, and carry that into a model of the other framework with --like"
               : "see `tieout layers` for what is; carry the weights into a model made of those with --like");
    return nullptr;
  }
  const auto& classes = model.framework == Framework::torch ? kind->torch : kind->keras;
  const auto entry = std::ranges::find(classes, name, &ClassEntry::name);
  if (entry->status == Status::refused) {
    refuse(model, node, entry->reason, "replace the layer by ones that `tieout layers` lists as carried");
    return nullptr;
  }
  return kind;
}

// A tensor that a call passes by keyword (a mask, an initial state) must reach a layer, or the kind does not
// know it.
void require_keywords(const Model& model, const FrameworkNode& node, int index,
                      const std::vector<int>& inputs) {
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (node.inputs.at(k).keyword.empty()) continue;
    const bool taken = std::ranges::any_of(model.layers, [&](const Layer& layer) {
      return layer.node == index && std::ranges::find(layer.inputs, inputs[k]) != layer.inputs.end();
    });
    if (taken) continue;
    throw Refusal{"it is called with " + node.inputs[k].keyword + ", which is not carried for this layer",
                  "build the model without it, or state the arithmetic with layers of its own"};
  }
}

std::vector<int> lift_node(Model& model, FrameworkModel& source, int index, const LayerKind& kind,
                           const std::vector<int>& inputs) {
  Lifter lifter(model, source, index, inputs, false);
  kind.lift(lifter);
  require_keywords(model, lifter.node(), index, inputs);
  for (const auto& name : lifter.untouched()) {
    model.findings.push_back(
        {Severity::forbids, lifter.node().name,
         "the tensor " + name + " has no place in a " + lifter.node().class_name,
         "the file and the layer's settings do not belong together; save the model again"});
  }
  return lifter.outputs();
}

void lift_nodes(Model& model, FrameworkModel& source) {
  NodeValues values(source.nodes.size());
  for (std::size_t i = 0; i < source.nodes.size(); ++i) {
    const FrameworkNode& node = source.nodes[i];
    const LayerKind* kind = kind_of(model, node);
    const auto inputs = input_values(model, node, values);
    if (kind == nullptr || !inputs) continue;
    try {
      values[i] = lift_node(model, source, static_cast<int>(i), *kind, *inputs);
    } catch (const Refusal& refusal) {
      refuse(model, source.nodes[i], refusal.reason, refusal.way_out);
    } catch (Error& error) {
      throw error.at(where_node(source, source.nodes[i]));
    }
  }
  for (const auto& output : source.outputs) {
    if (output.node == ValueRef::model_input) {
      model.outputs.push_back(model.inputs.at(static_cast<std::size_t>(output.output)));
      continue;
    }
    const auto& made = values.at(static_cast<std::size_t>(output.node));
    if (static_cast<std::size_t>(output.output) < made.size()) {
      model.outputs.push_back(made[static_cast<std::size_t>(output.output)]);
    }
  }
}

// A group of tensors without architecture: the one kind that recognises it, if there is exactly one.
void lift_group(Model& model, FrameworkModel& source, int index) {
  auto& group = source.nodes[static_cast<std::size_t>(index)];
  std::vector<std::pair<std::string, Shape>> tensors;
  for (const auto& parameter : group.parameters) {
    const LazyTensor* tensor = source.find_tensor(parameter.tensor);
    if (tensor != nullptr) tensors.emplace_back(parameter.name, tensor->shape);
  }
  std::vector<std::pair<const LayerKind*, FrameworkNode>> matches;
  for (const auto& kind : all_layers()) {
    if (!kind.recognise) continue;
    if (auto node = kind.recognise(model.framework, tensors)) matches.emplace_back(&kind, std::move(*node));
  }
  if (matches.size() != 1) {
    std::string candidates;
    for (const auto& match : matches) candidates += (candidates.empty() ? "" : ", ") + match.first->name;
    model.findings.push_back({Severity::forbids, group.name,
                              candidates.empty()
                                  ? "no layer kind has these tensors"
                                  : "its tensors may be those of several layer kinds: " + candidates,
                              "give a file that holds the architecture, or a template with --like"});
    return;
  }
  group.class_name = matches[0].second.class_name;
  group.settings = matches[0].second.settings;
  try {
    lift_node(model, source, index, *matches[0].first, {});
  } catch (const Refusal& refusal) {
    refuse(model, group, refusal.reason, refusal.way_out);
  } catch (const Error& error) {  // it only looked like that kind
    refuse(model, group, error.what(), "give a file that holds the architecture, or a template with --like");
  }
}

}  // namespace

Model lift(FrameworkModel& source, const InputShapes& shapes) {
  Model model;
  model.framework = source.framework;
  model.name = source.name;
  model.file = source.file;
  model.has_architecture = source.has_architecture;
  model.findings = state_weights(source);
  if (!source.has_architecture) {
    for (std::size_t i = 0; i < source.nodes.size(); ++i) {
      if (!source.nodes[i].parameters.empty()) lift_group(model, source, static_cast<int>(i));
    }
    return model;
  }
  add_inputs(model, source, shapes);
  for (const Findings& found : {note_half_precision(source), state_masks(source)})
    model.findings.insert(model.findings.end(), found.begin(), found.end());
  lift_nodes(model, source);
  for (const auto& layer : model.layers) {
    if (!kind_named(layer.kind).reads_indices || layer.inputs.empty()) continue;
    Value& input = model.values[static_cast<std::size_t>(layer.inputs.front())];
    if (!is_index(input.dtype)) input.dtype = DType::i64;
  }
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const auto rank = model.values[static_cast<std::size_t>(model.inputs[i])].axes.size();
    const auto names = usual_names(model.framework, rank);
    for (std::size_t k = 0; k < rank; ++k) model.rename_axis(unnamed(i, k), names[k]);
  }
  return model;
}

std::vector<int> lift_fresh(Model& model, FrameworkModel& source, int node, const std::vector<int>& values) {
  const FrameworkNode& made = source.nodes[static_cast<std::size_t>(node)];
  const LayerKind* kind = kind_of_node(source.framework, made).first;
  if (kind == nullptr)
    throw internal_error("the lowering made a " + listed_class(made) + " that nothing reads");
  Lifter lifter(model, source, node, values, true);
  kind->lift(lifter);
  return lifter.outputs();
}

}  // namespace tieout
