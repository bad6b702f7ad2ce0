#include "layers/record/lifter.h"

#include <algorithm>
#include <map>
#include <utility>

#include "layers/layer_kind.h"
#include "layers/record/infer.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// Keras 2's hard_sigmoid is clip(0.2 x + 0.5, 0, 1), Keras 3's clip(x / 6 + 0.5, 0, 1).
constexpr double keras2_hard_sigmoid_slope = 0.2;

Where where_layer(const std::string& layer, const std::string& tensor = {}) {
  Where where;
  where.layer = layer;
  where.tensor = tensor;
  return where;
}

}  // namespace

Lifter::Lifter(Model& model, FrameworkModel& source, int node, std::vector<int> inputs, bool fresh)
    : model_(model),
      source_(source),
      node_(node),
      inputs_(std::move(inputs)),
      fresh_(fresh),
      settings_(source.nodes[static_cast<std::size_t>(node)].settings,
                source.nodes[static_cast<std::size_t>(node)].name),
      has_paths_(std::ranges::any_of(source.nodes[static_cast<std::size_t>(node)].parameters,
                                     [](const NodeParameter& p) { return !p.path.empty(); })) {}

const Value& Lifter::input(std::size_t k) const {
  if (k >= inputs_.size()) {
    throw malformed("the layer is called with " + std::to_string(inputs_.size()) + " inputs, " +
                        std::to_string(k + 1) + " are needed",
                    where_layer(node().name));
  }
  return model_.values[static_cast<std::size_t>(inputs_[k])];
}

std::int64_t Lifter::size(std::size_t k, int axis) const {
  if (weights_only() || !input(k).known) return unknown;
  const auto& axes = input(k).axes;
  const int place = axis < 0 ? axis + static_cast<int>(axes.size()) : axis;
  if (place < 0 || place >= static_cast<int>(axes.size())) {
    throw malformed(
        "the axis " + std::to_string(axis) + " is not in an input of rank " + std::to_string(axes.size()),
        where_layer(node().name));
  }
  return axes[static_cast<std::size_t>(place)].size;
}

void Lifter::expect_size(std::size_t k, int axis, std::int64_t expected) const {
  const std::int64_t found = size(k, axis);
  if (found == unknown || expected == unknown || found == expected) return;
  throw malformed("the layer takes " + std::to_string(expected) + " features or channels, its input " +
                      to_string(shape_of(input(k).axes)) + " has " + std::to_string(found),
                  where_layer(node().name));
}

void Lifter::roles(std::size_t k, const std::vector<std::string>& names, const std::vector<int>& order) {
  if (weights_only()) return;
  static_cast<void>(input(k));  // checks that there is one
  Value& value = model_.values[static_cast<std::size_t>(inputs_[k])];
  if (!value.known) {
    Axes canonical;
    for (const auto& name : names) canonical.push_back({name, unknown, {}});
    value.axes = from_canonical(canonical, order);
    value.known = true;
    return;
  }
  if (value.axes.size() != names.size()) {
    throw malformed("the layer needs an input of rank " + std::to_string(names.size()) + ", found " +
                        to_string(shape_of(value.axes)),
                    where_layer(node().name));
  }
  for (std::size_t j = 0; j < names.size(); ++j) {
    const auto place = order.empty() ? j : static_cast<std::size_t>(order[j]);
    if (value.axes[place].is_unnamed()) model_.rename_axis(std::string(value.axes[place].name), names[j]);
  }
}

bool Lifter::has_variable(const std::string& name) const {
  return std::ranges::find(node().parameters, name, &NodeParameter::name) != node().parameters.end();
}

NodeParameter* Lifter::find_variable(const std::string& name, const std::string& path) {
  auto& parameters = source_.nodes[static_cast<std::size_t>(node_)].parameters;
  if (is_torch()) {
    const auto found = std::ranges::find(parameters, name, &NodeParameter::name);
    return found == parameters.end() ? nullptr : &*found;
  }
  // Keras: by path where the file has paths, otherwise by the order of the layer's weights.
  if (has_paths_) {
    const auto found = std::ranges::find(parameters, path, &NodeParameter::path);
    return found == parameters.end() ? nullptr : &*found;
  }
  return taken_.size() < parameters.size() ? &parameters[taken_.size()] : nullptr;
}

std::string Lifter::create_variable(const std::string& name, const std::string& path) {
  auto& made = source_.nodes[static_cast<std::size_t>(node_)];
  const std::string separator = is_torch() ? "." : "/";
  const std::string full = made.name.empty() ? name : made.name + separator + name;
  made.parameters.push_back({name, is_torch() ? "" : path, full});
  return full;
}

Term Lifter::term(const std::string& name, const std::string& pattern, const std::string& path) {
  std::string place = path;
  if (place.empty()) place = "vars/" + std::to_string(next_path_++);
  if (fresh_) {
    taken_.push_back(node().parameters.size());
    return {create_variable(name, place), parse_pattern(pattern)};
  }
  NodeParameter* found = find_variable(name, place);
  if (found == nullptr)
    throw malformed("the layer's tensor " + name + " is missing", where_layer(node().name));
  auto& parameters = source_.nodes[static_cast<std::size_t>(node_)].parameters;
  taken_.push_back(static_cast<std::size_t>(found - parameters.data()));
  // Both, so that a writer of either kind of Keras file finds what it needs.
  if (is_keras()) {
    found->name = name;
    found->path = place;
  }
  return {found->tensor, parse_pattern(pattern)};
}

void Lifter::solve_sizes(Parameter& parameter) const {
  std::erase_if(parameter.sizes, [](const auto& entry) { return entry.second == unknown; });
  for (const auto& term : parameter.terms) {
    const LazyTensor* tensor = source_.find_tensor(term.tensor);
    if (tensor == nullptr) continue;
    const auto misfit = [&] {
      return malformed("the tensor has the shape " + to_string(tensor->shape) + ", which does not fit \"" +
                           to_string(term.pattern) + "\" in this layer",
                       where_layer(node().name, term.tensor));
    };
    if (tensor->shape.size() != term.pattern.groups.size()) throw misfit();
    for (std::size_t g = 0; g < tensor->shape.size(); ++g) {
      std::int64_t known_product = 1;
      std::string open;
      for (const auto& axis : term.pattern.groups[g]) {
        if (!axis.labels.empty() || parameter.sizes.contains(axis.name)) {
          known_product *= axis_size(axis, parameter.sizes);
        } else if (open.empty()) {
          open = axis.name;
        } else {
          throw internal_error("two sizes to solve in " + to_string(term.pattern));
        }
      }
      if (open.empty()) {
        if (known_product != tensor->shape[g]) throw misfit();
      } else {
        if (known_product == 0 || tensor->shape[g] % known_product != 0) throw misfit();
        parameter.sizes[open] = tensor->shape[g] / known_product;
      }
    }
  }
}

Parameter Lifter::parameter(const std::string& name, const std::string& canonical, std::vector<Term> terms,
                            AxisSizes sizes, const std::string& along) {
  Parameter made;
  made.name = name;
  made.canonical = parse_pattern(canonical);
  made.sizes = std::move(sizes);
  made.along = along;
  made.terms = std::move(terms);
  solve_sizes(made);
  for (const auto& term : made.terms) {
    if (const LazyTensor* tensor = source_.find_tensor(term.tensor)) made.dtype = tensor->dtype;
  }
  return made;
}

Parameter Lifter::constant(const std::string& name, const std::string& canonical, AxisSizes sizes,
                           double value) {
  Parameter made = parameter(name, canonical, {}, std::move(sizes));
  made.constant = value;
  return made;
}

Layer Lifter::layer(const std::string& kind) const {
  Layer made;
  made.name = node().name;
  made.kind = kind;
  made.node = node_;
  made.inputs = inputs_;
  return made;
}

void Lifter::name_neutrally(const Layer& layer) {
  // Without parameters (a reshape, a permute) it says nothing about what the axes are.
  if (layer.parameters.empty()) return;
  const LayerKind& kind = kind_named(layer.kind);
  const bool unnamed = std::ranges::any_of(layer.inputs, [&](int input) {
    return std::ranges::any_of(model_.values[static_cast<std::size_t>(input)].axes, &Axis::is_unnamed);
  });
  if (!unnamed || !kind.need || kind.need(layer, model_.framework).kind != LayoutNeed::Kind::source) return;
  for (const int input : layer.inputs) {
    const auto rank = model_.values[static_cast<std::size_t>(input)].axes.size();
    for (std::size_t k = 0; k < rank; ++k) {
      const Axis axis = model_.values[static_cast<std::size_t>(input)].axes[k];
      if (!axis.is_unnamed()) continue;
      const std::string name = k == 0 ? "n" : k + 1 == rank ? "f" : rank == 3 ? "t" : "a" + std::to_string(k);
      model_.rename_axis(axis.name, name);
    }
  }
}

std::vector<int> Lifter::add(Layer layer) {
  if (weights_only()) {
    model_.layers.push_back(std::move(layer));
    return {};
  }
  layer.orders.resize(layer.inputs.size());
  name_neutrally(layer);
  std::vector<Axes> inputs;
  bool known = !layer.inputs.empty();
  for (const int input : layer.inputs) {
    const Value& value = model_.values[static_cast<std::size_t>(input)];
    known = known && value.known;
    inputs.push_back(value.axes);
  }
  const std::vector<Axes> outputs = known ? canonical_outputs(layer, inputs) : std::vector<Axes>(1);
  // Kinds that keep the rank keep the order; a kind that changes it sets output_order itself.
  if (layer.output_order.empty() && !layer.orders.empty() && known &&
      outputs[0].size() == layer.orders[0].size()) {
    layer.output_order = layer.orders[0];
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    Value value;
    value.known = known;
    if (known) value.axes = from_canonical(outputs[k], k == 0 ? layer.output_order : std::vector<int>{});
    layer.outputs.push_back(static_cast<int>(model_.values.size()));
    model_.values.push_back(std::move(value));
  }
  inputs_ = layer.outputs;
  model_.layers.push_back(std::move(layer));
  return inputs_;
}

void Lifter::add_activation(const Json& activation) {
  if (activation.is_null() || activation == "linear") return;
  std::string class_name;
  Json config = Json::object();
  if (activation.is_string()) {
    class_name = "activation:" + activation.get<std::string>();
  } else if (activation.is_object() && activation.contains("class_name") &&
             activation["class_name"].is_string()) {
    class_name = activation["class_name"].get<std::string>();
    config = activation.value("config", Json::object());
    // Keras writes a known function that it cannot name shortly as {"class_name": "function", "config":
    // "relu"}.
    if (class_name == "function" && config.is_string()) {
      class_name = "activation:" + config.get<std::string>();
      config = Json::object();
    }
  }
  if (class_name == "activation:hard_sigmoid" && keras_major() < 3)
    config = {{"slope", keras2_hard_sigmoid_slope}};
  const LayerKind* kind = kind_of_class(Framework::keras, class_name);
  if (kind == nullptr) {
    refuse("its activation " + activation.dump().substr(0, 60) + " is not known",
           "use an activation that `tieout layers` lists, as a layer of its own");
  }
  FrameworkNode function;
  function.name = node().name;
  function.class_name = class_name;
  function.settings = config;
  // A node of its own for the activation's lift, without entering it into the file's nodes.
  FrameworkModel scratch;
  scratch.framework = source_.framework;
  scratch.nodes.push_back(std::move(function));
  const std::size_t first = model_.layers.size();
  Lifter inner(model_, scratch, 0, inputs_, fresh_);
  kind->lift(inner);
  for (std::size_t i = first; i < model_.layers.size(); ++i) model_.layers[i].node = node_;
  inputs_ = inner.outputs();
}

void Lifter::add_wrapped(const Json& layer, const std::string& path) {
  const std::string class_name =
      layer.is_object() && layer.contains("class_name") && layer["class_name"].is_string()
          ? layer["class_name"].get<std::string>()
          : "";
  const LayerKind* kind = kind_of_class(Framework::keras, class_name);
  const auto entry = kind == nullptr ? std::vector<ClassEntry>::const_iterator()
                                     : std::ranges::find(kind->keras, class_name, &ClassEntry::name);
  if (kind == nullptr || entry->status == Status::refused) {
    refuse("it wraps a " + (class_name.empty() ? "layer without a class" : class_name) +
               ", which is not carried",
           "see `tieout layers` for what is");
  }
  // A node of its own: its variables are made as for a new node, then asked for here, under `path`.
  FrameworkModel scratch;
  scratch.framework = source_.framework;
  scratch.document = source_.document;
  FrameworkNode& wrapped = scratch.nodes.emplace_back();
  wrapped.name = node().name;
  wrapped.class_name = class_name;
  wrapped.settings = layer.value("config", Json::object());
  const std::size_t first = model_.layers.size();
  // A mask that the wrapper gets is not the wrapped layer's.
  const std::size_t taken = std::min<std::size_t>(inputs_.size(), 1);
  Lifter inner(model_, scratch, 0, {inputs_.begin(), inputs_.begin() + static_cast<std::ptrdiff_t>(taken)},
               true);
  kind->lift(inner);
  std::map<std::string, std::string> tensors;
  for (const NodeParameter& made : scratch.nodes[0].parameters)
    tensors[made.tensor] = term(made.name, "x", path + made.path).tensor;
  for (std::size_t i = first; i < model_.layers.size(); ++i) {
    model_.layers[i].node = node_;
    for (Parameter& parameter : model_.layers[i].parameters) {
      for (Term& one : parameter.terms) one.tensor = tensors.at(one.tensor);
      solve_sizes(parameter);
    }
  }
  inputs_ = inner.outputs();
}

int Lifter::keras_major() const {
  if (!source_.document.is_object()) return 3;
  const auto version = source_.document.find("keras_version");
  if (version == source_.document.end() || !version->is_string()) return 3;
  const auto text = version->get<std::string>();
  return text.empty() || text[0] < '1' || text[0] > '9' ? 3 : text[0] - '0';
}

void Lifter::refuse(const std::string& reason, const std::string& way_out) const {
  throw Refusal{reason, way_out};
}

std::vector<std::string> Lifter::untouched() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < node().parameters.size(); ++i) {
    if (std::ranges::find(taken_, i) == taken_.end()) names.push_back(node().parameters[i].tensor);
  }
  return names;
}

}  // namespace tieout
