#include "formats/keras_config/nested.h"

#include <algorithm>

namespace tieout::keras {

namespace {

// Each level may call the one below several times: bounds what a small file can grow to.
constexpr std::size_t most_nodes = 1'000'000;

class Writer {
 public:
  Writer(const std::map<std::string, FrameworkModel>& nested, FrameworkModel& model, const Where& where)
      : nested_(nested), model_(model), where_(where) {}

  void run() {
    std::vector<FrameworkNode> old;
    old.swap(model_.nodes);
    for (FrameworkNode& node : old) {
      for (NodeInput& input : node.inputs) input.value = moved(input.value, node.name);
      const auto found = nested_.find(node.name);
      if (found == nested_.end()) {
        made_.push_back({});
        plain_.push_back(static_cast<int>(model_.nodes.size()));
        add(std::move(node));
      } else {
        plain_.push_back(-1);
        made_.push_back(call(node, found->second));
      }
    }
    for (ValueRef& output : model_.outputs) output = moved(output, "the model's output");
  }

 private:
  void add(FrameworkNode node) {
    if (model_.nodes.size() >= most_nodes) throw malformed("the nested models have too many layers", where_);
    model_.nodes.push_back(std::move(node));
  }

  // The value of the old list of nodes in the new one.
  [[nodiscard]] ValueRef moved(const ValueRef& value, const std::string& user) const {
    if (value.node == ValueRef::model_input) return value;
    const auto node = static_cast<std::size_t>(value.node);
    if (plain_.at(node) >= 0) return {plain_[node], value.output};
    const auto output = static_cast<std::size_t>(value.output);
    if (output >= made_[node].size())
      throw malformed(user + " takes an output that a nested model does not have", where_);
    return made_[node][output];
  }

  // A mask stated for the one input, which a nested model puts on it: an Identity that is called with both.
  void take_mask(FrameworkNode& node, const FrameworkModel& inner) {
    const auto is_mask = [](const NodeInput& input) { return input.keyword == "mask"; };
    if (std::ranges::none_of(node.inputs, is_mask)) return;
    if (node.inputs.size() != 2 || is_mask(node.inputs[0])) {
      throw unsupported("the nested model " + node.name + " is called with masks of several inputs", where_,
                        "build it with one input, or without the masks");
    }
    FrameworkNode masked;
    masked.name = node.name + "/masked_input";
    while (std::ranges::find(inner.nodes, masked.name.substr(node.name.size() + 1), &FrameworkNode::name) !=
           inner.nodes.end())
      masked.name += "_";
    masked.class_name = "Identity";
    masked.settings = Json::object();
    masked.inputs = node.inputs;
    node.inputs = {{{static_cast<int>(model_.nodes.size()), 0}, {}}};
    add(std::move(masked));
  }

  // The outputs of the nested model, called as `node` calls it.
  std::vector<ValueRef> call(FrameworkNode node, const FrameworkModel& inner) {
    take_mask(node, inner);
    if (node.inputs.size() != inner.inputs.size()) {
      throw malformed("the nested model " + node.name + " is called with " +
                          std::to_string(node.inputs.size()) + " inputs, it has " +
                          std::to_string(inner.inputs.size()),
                      where_);
    }
    const int first = static_cast<int>(model_.nodes.size());
    const auto outside = [&](const ValueRef& value) {
      if (value.node == ValueRef::model_input)
        return node.inputs[static_cast<std::size_t>(value.output)].value;
      return ValueRef{first + value.node, value.output};
    };
    for (FrameworkNode copy : inner.nodes) {
      copy.name = copy.name.empty() ? node.name : node.name + "/" + copy.name;
      for (NodeInput& input : copy.inputs) input.value = outside(input.value);
      add(std::move(copy));
    }
    std::vector<ValueRef> outputs;
    for (const ValueRef& output : inner.outputs) outputs.push_back(outside(output));
    return outputs;
  }

  const std::map<std::string, FrameworkModel>& nested_;
  FrameworkModel& model_;
  const Where& where_;
  std::vector<int> plain_;                   // for each old node: its new place, or -1 for a nested model
  std::vector<std::vector<ValueRef>> made_;  // for each old node that is a nested model: its outputs
};

}  // namespace

void write_out(const std::map<std::string, FrameworkModel>& nested, FrameworkModel& model,
               const Where& where) {
  if (!nested.empty()) Writer(nested, model, where).run();
}

bool run_at_each_step(FrameworkModel& model) {
  if (model.inputs.size() != 1 || model.outputs.size() != 1) return false;
  const auto part = [](const std::string& name, const char* which) {
    FrameworkNode node;
    node.name = name;
    node.class_name = "TimeDistributed";
    node.settings = {{"part", which}};
    return node;
  };
  std::string name = "merge";
  while (std::ranges::find(model.nodes, name, &FrameworkNode::name) != model.nodes.end()) name += "_steps";
  FrameworkNode merge = part(name, "merge");
  merge.inputs = {{ValueRef{}, {}}};
  const auto moved = [](const ValueRef& value) {
    return value.node == ValueRef::model_input ? ValueRef{0, 0} : ValueRef{value.node + 1, value.output};
  };
  for (FrameworkNode& node : model.nodes) {
    for (NodeInput& input : node.inputs) input.value = moved(input.value);
  }
  model.nodes.insert(model.nodes.begin(), std::move(merge));
  FrameworkNode split = part({}, "split");
  split.inputs = {{moved(model.outputs[0]), {}}, {ValueRef{}, {}}};
  model.outputs[0] = {static_cast<int>(model.nodes.size()), 0};
  model.nodes.push_back(std::move(split));
  return true;
}

std::string owner_of(const std::string& weight, const Architecture& architecture) {
  std::string owner;
  const Architecture* level = &architecture;
  for (std::size_t begin = 0; begin < weight.size();) {
    const std::size_t end = std::min(weight.find('/', begin), weight.size());
    const auto layer = std::ranges::find(level->layers, weight.substr(begin, end - begin), &LayerEntry::name);
    begin = end + 1;
    if (layer == level->layers.end()) continue;
    owner += (owner.empty() ? "" : "/") + layer->name;
    if (layer->nested.empty()) return owner;
    level = &layer->nested.front();
  }
  return {};
}

void refuse_composites(const FrameworkModel& model, const std::string& way_out) {
  for (const FrameworkNode& node : model.nodes) {
    const bool wraps = node.class_name == "SpectralNormalization";
    if (!wraps && node.name.find('/') == std::string::npos) continue;
    throw unsupported(
        (wraps ? "a SpectralNormalization" : "a nested model") +
            std::string(" cannot be written in another Keras format than the one it was read from"),
        {.file = model.file, .entry = {}, .offset = {}, .tensor = {}, .layer = node.name}, way_out);
  }
}

}  // namespace tieout::keras
