#include "formats/torch_pt/module_reader.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "formats/torch_pt/settings_json.h"
#include "formats/torch_pt/transformers.h"

namespace tieout::torch_pt {

namespace {

constexpr std::string_view torch_modules = "torch.nn.modules.";
constexpr std::string_view sequential = "torch.nn.modules.container.Sequential";
// Gives each GPU a part of the batch.
constexpr std::string_view data_parallel = "torch.nn.parallel.data_parallel.DataParallel";
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

// What the only hook of the module holds: which parameter it computes, and along which axis.
std::optional<Json> hook_settings(const PickleNode& module) {
  std::optional<Json> settings;
  for (const std::string_view table : {"_forward_pre_hooks", "_forward_hooks"}) {
    const auto hooks = module.state()->find(table);
    if (!hooks || !hooks->is(PickleKind::dict)) continue;
    for (std::size_t i = 0; i < hooks->pairs(); ++i) {
      const PickleNode hook = hooks->value(i);
      const auto state = hook.is(PickleKind::object) ? hook.state() : std::nullopt;
      if (settings || !state || !state->is(PickleKind::dict)) return std::nullopt;
      settings = module_settings(*state);
    }
  }
  return settings;
}

void check_depth(const PickleNode& module, int depth) {
  if (depth > deepest) throw module.error("modules are nested more than 64 deep, or hold themselves");
}

// The tensors of modules.
class TensorWalk {
 public:
  // Names the tensors inside the module, "out_proj.weight" for an attention's.
  void collect(const PickleNode& module, const std::string& local, int depth, const TensorVisit& visit) {
    check_depth(module, depth);
    if (++modules_ > most_modules) throw module.error("the file names more than a million modules");
    visit_table(attribute(module, "_parameters"), {}, local, visit);
    std::set<std::string_view> skipped;
    if (const auto transient = module.state()->find("_non_persistent_buffers_set")) {
      for (std::size_t i = 0; i < transient->size(); ++i) skipped.insert(transient->item(i).text());
    }
    visit_table(attribute(module, "_buffers"), skipped, local, visit);
    each_child(module, [&](const std::string& child_name, const PickleNode& child) {
      collect(child, join(local, child_name), depth + 1, visit);
    });
  }

 private:
  static void visit_table(const PickleNode& table, const std::set<std::string_view>& skipped,
                          const std::string& local, const TensorVisit& visit) {
    for (std::size_t i = 0; i < table.pairs(); ++i) {
      const std::string_view key = table.key(i).text();
      if (table.value(i).is(PickleKind::none) || skipped.contains(key)) continue;
      visit(table.value(i), join(local, key));
    }
  }

  std::size_t modules_ = 0;
};

class ModuleWalk final : public Steps {
 public:
  ModuleWalk(const std::string& prefix, FrameworkModel& model) : prefix_(prefix), model_(model) {}

  // The nodes of a module, in the order in which they run.
  ValueRef call(const PickleNode& module, const std::string& name,
                const std::vector<ValueRef>& inputs) override {
    const Deeper level(depth_);
    check_depth(module, depth_);
    if (++modules_ > most_modules) throw module.error("the file names more than a million modules");
    if (!is_module(module)) throw module.error("expected a module");
    const bool is_plain = forward_hooks(module).empty();
    if (is_plain && module.full_name() == sequential) {
      std::vector<ValueRef> values = inputs;
      each_child(module, [&](const std::string& child_name, const PickleNode& child) {
        values = {call(child, join(name, child_name), values)};
      });
      return values.at(0);
    }
    const std::size_t taken = transformer_inputs(module).size();
    if (is_plain && taken > 0 && taken == inputs.size()) {
      return walk_transformer(module, name, inputs, *this);
    }
    FrameworkNode node;
    node.class_name = is_torch_class(module) ? std::string(module.name()) : module.full_name();
    node.class_name += forward_hooks(module);
    node.module = module.module();
    if (is_torch_class(module)) node.settings = module_settings(*module.state());
    if (const auto hook = hook_settings(module)) node.settings["_hook"] = *hook;
    tensors_.collect(module, "", 0, [&](const PickleNode&, const std::string& local) {
      node.parameters.push_back({.name = local, .path = {}, .tensor = prefix_ + join(name, local)});
    });
    return add(std::move(node), name, inputs);
  }

  ValueRef apply(const std::string& class_name, const std::string& name,
                 const std::vector<ValueRef>& inputs) override {
    FrameworkNode node;
    node.class_name = class_name;
    node.settings = Json::object();
    return add(std::move(node), name, inputs);
  }

 private:
  // One level of calls, for as long as it lives.
  class Deeper {
   public:
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    int& depth_;
  };

  ValueRef add(FrameworkNode node, const std::string& name, const std::vector<ValueRef>& inputs) {
    node.name = name;
    for (const ValueRef& value : inputs) node.inputs.push_back({.value = value, .keyword = {}});
    model_.nodes.push_back(std::move(node));
    return {.node = static_cast<int>(model_.nodes.size()) - 1};
  }

  const std::string& prefix_;
  FrameworkModel& model_;
  TensorWalk tensors_;
  std::size_t modules_ = 0;
  int depth_ = -1;
};

// What the root's forward() takes.
std::vector<std::string> input_names(const PickleNode& root) {
  static const std::map<std::string, std::vector<std::string>, std::less<>> several = {
      {"torch.nn.modules.activation.MultiheadAttention", {"query", "key", "value"}},
      {"torch.nn.modules.distance.CosineSimilarity", {"x1", "x2"}},
      {"torch.nn.modules.distance.PairwiseDistance", {"x1", "x2"}},
      {"torch.nn.modules.linear.Bilinear", {"input1", "input2"}}};
  const auto found = several.find(root.full_name());
  if (found != several.end()) return found->second;
  const auto names = transformer_inputs(root);
  return names.size() > 1 ? names : std::vector<std::string>{"input"};
}

}  // namespace

bool is_module(const PickleNode& node) {
  if (!node.is(PickleKind::object)) return false;
  const auto state = node.state();
  return state && state->is(PickleKind::dict) && state->find("_modules") && state->find("_parameters") &&
         state->find("_buffers");
}

void each_tensor(const PickleNode& module, const TensorVisit& visit) {
  TensorWalk().collect(module, "", 0, visit);
}

void read_module(const PickleNode& root, const std::string& prefix, FrameworkModel& model) {
  if (root.full_name() == data_parallel) {
    const auto inner = attribute(root, "_modules").find("module");
    if (!inner) throw root.error("a DataParallel holds no module");
    read_module(*inner, prefix + "module.", model);
    return;
  }
  model.name = root.name();
  model.has_architecture = true;
  std::vector<ValueRef> inputs;
  for (const std::string& name : input_names(root)) {
    inputs.push_back({.node = ValueRef::model_input, .output = static_cast<int>(inputs.size())});
    model.inputs.push_back({.name = name, .shape = {}, .dtype = DType::f32, .axes = {}});
  }
  model.outputs = {ModuleWalk(prefix, model).call(root, "", inputs)};
}

}  // namespace tieout::torch_pt
