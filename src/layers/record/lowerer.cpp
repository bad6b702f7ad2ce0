#include "layers/record/lowerer.h"

#include <algorithm>
#include <utility>

#include "tieout/error.h"

namespace tieout {

Lowerer::Lowerer(const Model& model, const Layer& layer, Framework target, std::vector<ValueRef> inputs,
                 Sink& sink, int next_node)
    : model_(model),
      layer_(layer),
      target_(target),
      current_(std::move(inputs)),
      sink_(sink),
      next_node_(next_node) {}

const Axes& Lowerer::source_axes(std::size_t k) const {
  return model_.values[static_cast<std::size_t>(layer_.inputs.at(k))].axes;
}

int Lowerer::target_axis(std::size_t k, int source_axis) const {
  const auto& name = source_axes(k).at(static_cast<std::size_t>(source_axis)).name;
  const auto& target = axes(k);
  const auto found = std::ranges::find(target, name, &Axis::name);
  if (found == target.end())
    throw internal_error("the axis " + name + " is lost in the layer " + layer_.name);
  return static_cast<int>(found - target.begin());
}

const Parameter* Lowerer::parameter(const std::string& name) const {
  const auto found = std::ranges::find(layer_.parameters, name, &Parameter::name);
  return found == layer_.parameters.end() ? nullptr : &*found;
}

bool Lowerer::stores(const std::string& name) const {
  const Parameter* found = parameter(name);
  return found != nullptr && !found->terms.empty();
}

void Lowerer::add(const std::string& class_name, const Json& settings, const std::string& call,
                  const std::string& helper) {
  FrameworkNode node;
  node.class_name = class_name;
  node.settings = settings;
  node.call = call;
  add_node(std::move(node), helper);
}

void Lowerer::add_node(FrameworkNode node, const std::string& helper) {
  node.name = helper.empty() ? layer_.name : layer_.name + "_" + helper;
  if (to_keras() && node.module.empty()) node.module = "keras.layers";
  if (node.inputs.empty()) {
    for (const auto& value : current_) node.inputs.push_back({value, {}});
  }
  sink_.append(std::move(node));
  current_ = {{next_node_++, 0}};
}

void Lowerer::refuse(const std::string& reason, const std::string& way_out) const {
  throw Refusal{reason, way_out};
}

}  // namespace tieout
