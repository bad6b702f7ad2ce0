#include "formats/torch_pt/module_reader.h"

#include <set>
#include <string>
#include <utility>

#include "formats/torch_pt/settings_json.h"

namespace tieout::torch_pt {

namespace {

constexpr std::string_view torch_modules = "torch.nn.modules.";
constexpr std::string_view sequential = "torch.nn.modules.container.Sequential";
constexpr std::string_view attention = "torch.nn.modules.activation.MultiheadAttention";
constexpr int deepest = 64;
// Modules can be shared, so a small file can name very many.
constexpr std::size_t most_modules = 1'000'000;

std::string join(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
}

bool is_torch_class(const PickleNode& module) {
  return module.full_name().starts_with(torch_modules);
}

PickleNode attribute(const PickleNode& module, std::string_view name) {
  const auto found = module.state()->find(name);
  if (!found) throw module.error("a module has no '" + std::string(name) + "'");
  return *found;
}

// Both a dict and an OrderedDict (PyTorch up to 2.0) are dicts here.
template <typename Visit>
void each_child(const PickleNode& module, const Visit& visit) {
  const PickleNode children = attribute(module, "_modules");
  for (std::size_t i = 0; i < children.pairs(); ++i) {
    const PickleNode child = children.value(i);
    if (child.is(PickleKind::none)) continue;
    if (!is_module(child))
      throw child.error("expected a module, found " + std::string(describe(child.kind())));
    visit(std::string(children.key(i).text()), child);
  }
}

// " with NAME" for each forward hook.
std::string forward_hooks(const PickleNode& module) {
  std::string text;
  for (const std::string_view table : {"_forward_pre_hooks", "_forward_hooks"}) {
    const auto hooks = module.state()->find(table);
    if (!hooks || !hooks->is(PickleKind::dict)) continue;
    for (std::size_t i = 0; i < hooks->pairs(); ++i) {
      const PickleNode hook = hooks->value(i);
      const bool named =
          hook.is(PickleKind::global) || hook.is(PickleKind::object) || hook.is(PickleKind::call);
      text += " with " + (named ? hook.full_name() : std::string("a hook"));
    }
  }
  return text;
}

class ModuleWalk {
 public:
  ModuleWalk(Archive& archive, FrameworkModel& model) : archive_(archive), model_(model) {}

  // Nodes, in the order in which they run.
  void chain(const PickleNode& module, const std::string& name, int depth) {
    count(module, depth);
    if (module.full_name() == sequential && forward_hooks(module).empty()) {
      each_child(module, [&](const std::string& child_name, const PickleNode& child) {
        chain(child, join(name, child_name), depth + 1);
      });
      return;
    }
    FrameworkNode node;
    node.name = name;
    node.class_name = is_torch_class(module) ? std::string(module.name()) : module.full_name();
    node.class_name += forward_hooks(module);
    node.module = module.module();
    if (is_torch_class(module)) node.settings = module_settings(*module.state());
    const bool is_first = model_.nodes.empty();
    node.inputs.push_back(
        {.value = is_first ? ValueRef{} : ValueRef{.node = static_cast<int>(model_.nodes.size()) - 1},
         .keyword = {}});
    collect(module, name, "", node, depth);
    model_.nodes.push_back(std::move(node));
  }

 private:
  void count(const PickleNode& module, int depth) {
    if (depth > deepest) throw module.error("modules are nested more than 64 deep, or hold themselves");
    if (++modules_ > most_modules) throw module.error("the file names more than a million modules");
  }

  // Tensors in the order of Module.state_dict(): parameters, persistent buffers, then the children's.
  void collect(const PickleNode& module, const std::string& name, const std::string& local,
               FrameworkNode& node, int depth) {
    add_tensors(attribute(module, "_parameters"), {}, name, local, node);
    std::set<std::string_view> skipped;
    if (const auto transient = module.state()->find("_non_persistent_buffers_set")) {
      for (std::size_t i = 0; i < transient->size(); ++i) skipped.insert(transient->item(i).text());
    }
    add_tensors(attribute(module, "_buffers"), skipped, name, local, node);
    each_child(module, [&](const std::string& child_name, const PickleNode& child) {
      count(child, depth + 1);
      collect(child, name, join(local, child_name), node, depth + 1);
    });
  }

  void add_tensors(const PickleNode& table, const std::set<std::string_view>& skipped,
                   const std::string& name, const std::string& local, FrameworkNode& node) {
    for (std::size_t i = 0; i < table.pairs(); ++i) {
      const std::string_view key = table.key(i).text();
      if (table.value(i).is(PickleKind::none) || skipped.contains(key)) continue;
      const std::string local_name = join(local, key);
      const std::string full_name = join(name, local_name);
      if (!names_.insert(full_name).second)
        throw table.error("two tensors have the name '" + full_name + "'");
      model_.tensors.push_back({full_name, read_tensor(table.value(i), archive_, full_name)});
      node.parameters.push_back({.name = local_name, .path = {}, .tensor = full_name});
    }
  }

  Archive& archive_;
  FrameworkModel& model_;
  std::set<std::string> names_;
  std::size_t modules_ = 0;
};

}  // namespace

bool is_module(const PickleNode& node) {
  if (!node.is(PickleKind::object)) return false;
  const auto state = node.state();
  return state && state->is(PickleKind::dict) && state->find("_modules") && state->find("_parameters") &&
         state->find("_buffers");
}

void read_module(const PickleNode& root, Archive& archive, FrameworkModel& model) {
  model.name = root.name();
  model.has_architecture = true;
  ModuleWalk(archive, model).chain(root, "", 0);
  model.inputs = {{.name = "input", .shape = {}, .dtype = DType::f32, .axes = {}}};
  if (root.full_name() == attention) {
    model.inputs = {{.name = "query", .shape = {}, .dtype = DType::f32, .axes = {}},
                    {.name = "key", .shape = {}, .dtype = DType::f32, .axes = {}},
                    {.name = "value", .shape = {}, .dtype = DType::f32, .axes = {}}};
    model.nodes.front().inputs.clear();
    for (int i = 0; i < 3; ++i) {
      model.nodes.front().inputs.push_back(
          {.value = {.node = ValueRef::model_input, .output = i}, .keyword = {}});
    }
  }
  model.outputs = {model.nodes.empty() ? ValueRef{}
                                       : ValueRef{.node = static_cast<int>(model.nodes.size()) - 1}};
}

}  // namespace tieout::torch_pt
