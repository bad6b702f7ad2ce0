#include "convert/constraints.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convert/computed_weight.h"

namespace tieout {

namespace {

bool is_wrapper(const FrameworkModel& model, const FrameworkNode& node) {
  return model.framework == Framework::keras && node.class_name == "SpectralNormalization";
}

// A .keras file has the wrapper's own variables, vector_u and the kernel once more, beside the wrapped
// layer's ("layer/vars/0", which Keras loads last); a .h5 has vector_u behind the wrapped layer's.
bool is_of_training(const NodeParameter& parameter) {
  return parameter.path.starts_with("vars/") || parameter.name == "vector_u";
}

// Puts computed weights in the place of the tensors that PyTorch computes them from. Nodes whose tensors do
// not fit stay as they are, for the kind `parametrised` to refuse.
class Weights {
 public:
  Weights(FrameworkModel& model, std::optional<std::size_t> outputs) : model_(model), outputs_(outputs) {}

  void run() {
    if (model_.has_architecture) {
      for (FrameworkNode& node : model_.nodes) take_hook(node);
      return;
    }
    for (FrameworkNode& node : model_.nodes) take_group(node);
    take_parametrizations();
  }

 private:
  // The node's tensor of that local name.
  [[nodiscard]] const LazyTensor* tensor(const FrameworkNode& node, const std::string& name) const {
    const auto found = std::ranges::find(node.parameters, name, &NodeParameter::name);
    return found == node.parameters.end() ? nullptr : model_.find_tensor(found->tensor);
  }

  [[nodiscard]] std::optional<LazyTensor> weight_norm(const LazyTensor* g, const LazyTensor* v) const {
    if (g == nullptr || v == nullptr) return std::nullopt;
    return weight_of_weight_norm(*g, *v);
  }

  // Without `axis`, by the sizes: PyTorch takes the axis of the outputs, which is the second one in a
  // transposed convolution and the first one elsewhere.
  [[nodiscard]] std::optional<LazyTensor> spectral_norm(const LazyTensor* weight, const LazyTensor* u,
                                                        const LazyTensor* v,
                                                        std::optional<std::size_t> axis) const {
    if (weight == nullptr || u == nullptr || v == nullptr) return std::nullopt;
    if (axis) return weight_of_spectral_norm(*weight, *u, *v, *axis);
    auto first = weight_of_spectral_norm(*weight, *u, *v, 0);
    if (weight->shape.size() == 2) return first;
    auto second = weight_of_spectral_norm(*weight, *u, *v, 1);
    if (!first || !second) return first ? first : second;
    if (!outputs_) return std::nullopt;
    return *outputs_ == 0 ? first : second;
  }

  // Gives `node` the weight in the place of tensors of its own and of others.
  bool put(FrameworkNode& node, const std::vector<std::string>& tensors, LazyTensor weight) {
    const std::string name = node.name.empty() ? "weight" : node.name + ".weight";
    if (model_.find_tensor(name) != nullptr) return false;
    const auto is_part = [&](const std::string& one) {
      return std::ranges::find(tensors, one) != tensors.end();
    };
    const auto place =
        std::ranges::find_if(model_.tensors, [&](const NamedTensor& named) { return is_part(named.name); });
    *place = {name, std::move(weight)};
    std::erase_if(model_.tensors, [&](const NamedTensor& named) { return is_part(named.name); });
    std::erase_if(node.parameters, [&](const NodeParameter& parameter) { return is_part(parameter.tensor); });
    node.parameters.insert(node.parameters.begin(), {"weight", {}, name});
    return true;
  }

  bool put_own(FrameworkNode& node, const std::vector<std::string>& names, std::optional<LazyTensor> weight) {
    if (!weight) return false;
    std::vector<std::string> tensors;
    for (const NodeParameter& parameter : node.parameters) {
      if (std::ranges::find(names, parameter.name) != names.end()) tensors.push_back(parameter.tensor);
    }
    return put(node, tensors, std::move(*weight));
  }

  bool take_weight_norm(FrameworkNode& node) {
    return put_own(node, {"weight_g", "weight_v"},
                   weight_norm(tensor(node, "weight_g"), tensor(node, "weight_v")));
  }

  bool take_spectral_norm(FrameworkNode& node, std::optional<std::size_t> axis) {
    return put_own(
        node, {"weight_orig", "weight_u", "weight_v"},
        spectral_norm(tensor(node, "weight_orig"), tensor(node, "weight_u"), tensor(node, "weight_v"), axis));
  }

  // A module with one hook, "Conv2d with torch.nn.utils.weight_norm.WeightNorm".
  void take_hook(FrameworkNode& node) {
    const auto bar = node.class_name.find(" with ");
    if (bar == std::string::npos || !node.settings.contains("_hook")) return;
    const Json hook = node.settings["_hook"];
    const std::string name = node.class_name.substr(bar + std::string(" with ").size());
    if (!hook.contains("name") || hook["name"] != "weight") return;
    bool done = false;
    if (name == "torch.nn.utils.weight_norm.WeightNorm") {
      done = take_weight_norm(node);
    } else if (name == "torch.nn.utils.spectral_norm.SpectralNorm" && hook.contains("dim") &&
               hook["dim"].is_number_integer() && hook["dim"] >= 0) {
      done = take_spectral_norm(node, hook["dim"].get<std::size_t>());
    }
    if (!done) return;
    node.class_name.erase(bar);
    node.settings.erase("_hook");
  }

  // The same modules in a state_dict.
  void take_group(FrameworkNode& node) {
    if (tensor(node, "weight_orig") != nullptr) {
      take_spectral_norm(node, std::nullopt);
    } else {
      take_weight_norm(node);
    }
  }

  // torch.nn.utils.parametrizations in a state_dict: "conv.parametrizations.weight.original0" and "...1", g
  // and v; or "....original", and "_u" and "_v" in "conv.parametrizations.weight.0".
  void take_parametrizations() {
    const std::string suffix = "parametrizations.weight";
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) places.emplace(model_.nodes[i].name, i);
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      FrameworkNode& group = model_.nodes[i];
      if (group.name != suffix && !group.name.ends_with("." + suffix)) continue;
      const auto inner = places.find(group.name + ".0");
      FrameworkNode* vectors = inner == places.end() ? nullptr : &model_.nodes[inner->second];
      if (places.contains(group.name + ".1")) continue;  // one constraint on another
      auto weight = parametrized(group, vectors);
      if (!weight) continue;
      std::string owner = group.name.substr(0, group.name.size() - suffix.size());
      if (!owner.empty()) owner.pop_back();
      const auto found = places.find(owner);
      FrameworkNode made = found == places.end() ? FrameworkNode{} : model_.nodes[found->second];
      made.name = owner;
      std::vector<std::string> tensors;
      for (const FrameworkNode* part :
           {static_cast<const FrameworkNode*>(&group), static_cast<const FrameworkNode*>(vectors)}) {
        if (part == nullptr) continue;
        for (const NodeParameter& parameter : part->parameters) tensors.push_back(parameter.tensor);
      }
      if (!put(made, tensors, std::move(*weight))) continue;
      group.parameters.clear();
      if (vectors != nullptr) vectors->parameters.clear();
      (found == places.end() ? group : model_.nodes[found->second]) = std::move(made);
    }
    std::erase_if(model_.nodes, [&](const FrameworkNode& node) {
      return node.parameters.empty() && node.name.find(suffix) != std::string::npos;
    });
  }

  [[nodiscard]] std::optional<LazyTensor> parametrized(const FrameworkNode& group,
                                                       const FrameworkNode* vectors) const {
    if (vectors == nullptr && group.parameters.size() == 2)
      return weight_norm(tensor(group, "original0"), tensor(group, "original1"));
    if (vectors == nullptr || group.parameters.size() != 1 || vectors->parameters.size() != 2)
      return std::nullopt;
    return spectral_norm(tensor(group, "original"), tensor(*vectors, "_u"), tensor(*vectors, "_v"),
                         std::nullopt);
  }

  FrameworkModel& model_;
  std::optional<std::size_t> outputs_;
};

// The constraint of each tensor that is computed, by the tensor's name.
std::map<std::string, std::string> constraints_of(const FrameworkModel& model) {
  std::map<std::string, std::string> constraints;
  for (const NamedTensor& named : model.tensors) {
    std::string name = computed_by(named.tensor);
    if (!name.empty()) constraints.emplace(named.name, std::move(name));
  }
  return constraints;
}

// A finding for each layer, called often or once, with a computed weight.
template <typename Say>
Findings findings_of(const FrameworkModel& model, const Say& say) {
  const auto constraints = constraints_of(model);
  Findings findings;
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) {
      const auto found = constraints.find(parameter.tensor);
      if (found != constraints.end()) findings.push_back(say(node, found->second));
    }
  }
  return findings;
}

}  // namespace

Findings state_weights(FrameworkModel& model, std::optional<std::size_t> outputs) {
  if (model.framework == Framework::torch) {
    Weights(model, outputs).run();
    return findings_of(model, [](const FrameworkNode& node, const std::string& constraint) {
      return Finding{Severity::note,
                     node.name,
                     "its weight is computed once, as " + constraint +
                         " does it at each call, and carried as a plain one; training goes on without " +
                         constraint,
                     {}};
    });
  }
  Findings findings;
  for (FrameworkNode& node : model.nodes) {
    if (!is_wrapper(model, node)) continue;
    std::erase_if(node.parameters, is_of_training);
    findings.push_back({Severity::note,
                        node.name + " (" + node.class_name + ")",
                        "the layer that it wraps is carried with the kernel as it is stored; what training "
                        "does to the kernel is not carried on",
                        {}});
  }
  return findings;
}

Findings refuse_constraints(const FrameworkModel& target) {
  Findings findings = findings_of(target, [](const FrameworkNode& node, const std::string& constraint) {
    return Finding{Severity::forbids, node.name,
                   constraint + " computes its weight from other tensors, which cannot be filled in",
                   "make the template's weight plain first: remove_" + constraint +
                       ", or torch.nn.utils.parametrize.remove_parametrizations"};
  });
  for (const FrameworkNode& node : target.nodes) {
    if (!is_wrapper(target, node)) continue;
    findings.push_back({Severity::forbids, node.name + " (" + node.class_name + ")",
                        "what it trains with beside the kernel cannot be filled in",
                        "give a template with the layer that it wraps (its .layer) in its place"});
  }
  return findings;
}

}  // namespace tieout
