#include "formats/tf_checkpoint/layers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace tieout::tf_checkpoint {

namespace {

// As deep as models are nested in each other, several times over.
constexpr std::size_t deepest = 200;
// A Bidirectional of a RNN of a cell is three.
constexpr std::size_t most_sublayers = 8;
// Paths share what they begin with, so that a small file could ask for any amount of memory.
constexpr std::uint64_t most_path_bytes = std::uint64_t{256} << 20;

// Attributes of a layer whose variables are the layer's own: cells of recurrent layers, the directions of a
// Bidirectional, what a wrapper wraps, the projections of an attention.
bool is_sublayer(std::string_view name) {
  static constexpr std::array names{"cell",         "forward_layer", "backward_layer", "layer",
                                    "_query_dense", "_key_dense",    "_value_dense",   "_output_dense"};
  return std::ranges::find(names, name) != names.end();
}

// The same in the variables' names, where the attributes are not known.
bool is_scope_of_sublayer(std::string_view name) {
  static constexpr std::array names{
      "lstm_cell", "gru_cell", "simple_rnn_cell", "conv_lstm_cell",  "stacked_rnn_cells",
      "query",     "key",      "value",           "attention_output"};
  return std::ranges::find(names, name) != names.end() || name.starts_with("forward_") ||
         name.starts_with("backward_");
}

// Attributes that hold what is no layer, or layers' variables once more.
bool is_skipped(std::string_view name) {
  static constexpr std::array names{"variables",      "trainable_variables", "non_trainable_variables",
                                    "_all_variables", "keras_api",           "metrics",
                                    "signatures",     "seed_generator"};
  return std::ranges::find(names, name) != names.end();
}

bool is_optimizer(const TrackedObject& object) {
  const bool counts = object.has_child("_iterations") || object.has_child("iter");
  return counts && (object.has_child("_learning_rate") || object.has_child("learning_rate"));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t slash = text.find('/'); slash != std::string::npos; slash = text.find('/', begin)) {
    parts.push_back(text.substr(begin, slash - begin));
    begin = slash + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string joined(const std::vector<std::string>& parts, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) text += (i > first ? "/" : "") + parts[i];
  return text;
}

class Finder {
 public:
  Finder(const ObjectGraph& graph, const Where& where) : graph_(graph), where_(where), seen_(graph.size()) {}

  std::vector<FoundLayer> run() {
    if (graph_[0].has_child("_all_variables")) return by_variable_names();
    std::vector<std::string> path;
    visit(0, path, false);
    name_by_path_where_equal();
    return std::move(layers_);
  }

 private:
  struct Sublayer {
    std::size_t object;
    std::vector<std::string> path;  // from the layer
  };

  // NOLINTNEXTLINE(misc-no-recursion): at most `deepest` objects inside each other, each visited once.
  void visit(std::size_t index, std::vector<std::string>& path, bool inside_model) {
    if (path.size() > deepest) throw malformed("the object graph is more than 200 objects deep", where_);
    const TrackedObject& object = graph_[index];
    if (seen_[index] || object.variable || is_optimizer(object)) return;
    FoundLayer layer;
    std::vector<Sublayer> sublayers;
    collect({index, {}}, sublayers, layer.node);
    if (!layer.node.parameters.empty()) {
      for (const std::string& step : path) path_bytes_ += step.size();
      if (path_bytes_ > most_path_bytes)
        throw malformed("the names in the object graph have more than 256 MiB", where_);
      layer.path = path;
      layers_.push_back(std::move(layer));
    }
    const bool sequential = object.has_child("_functional");
    const bool inside = inside_model || sequential || object.has_child("_operations");
    const std::size_t first = layers_.size();
    for (const Sublayer& sublayer : sublayers) {
      path.insert(path.end(), sublayer.path.begin(), sublayer.path.end());
      for (const TrackedObject::Child& child : graph_[sublayer.object].children) {
        if (is_skipped(child.name)) continue;
        path.push_back(child.name);
        visit(child.object, path, inside);
        path.pop_back();
      }
      path.resize(path.size() - sublayer.path.size());
    }
    if (sequential && !inside_model) drop_model_name(first);
  }

  // Adds the variables of a layer and of its sublayers to `node`: first its own, then those of what it holds,
  // all of the forward layer before the backward layer. What a SpectralNormalization trains with is not the
  // wrapped layer's.
  // NOLINTNEXTLINE(misc-no-recursion): at most most_sublayers inside each other.
  void collect(const Sublayer& part, std::vector<Sublayer>& all, FrameworkNode& node) {
    if (part.path.size() > most_sublayers) throw malformed("layers wrap layers more than 8 times", where_);
    seen_[part.object] = true;
    all.push_back(part);
    const TrackedObject& object = graph_[part.object];
    const bool wraps = object.has_child("layer");
    for (const TrackedObject::Child& child : object.children) {
      const auto& variable = graph_[child.object].variable;
      // A checkpoint's own variables (save_counter, a step) are none of a layer.
      if (!variable || part.object == 0 || (wraps && child.name == "vector_u")) continue;
      if (taken_.insert({layers_.size(), child.object}).second)
        add(*variable, child.name, part.path.size(), node);
    }
    for (const TrackedObject::Child& child : object.children) {
      if (graph_[child.object].variable || !is_sublayer(child.name) || seen_[child.object]) continue;
      Sublayer inner{child.object, part.path};
      inner.path.push_back(child.name);
      collect(inner, all, node);
    }
  }

  static void add(const TrackedVariable& variable, const std::string& local, std::size_t levels,
                  FrameworkNode& node) {
    const std::vector<std::string> parts = split(variable.full_name);
    // What stands before the scopes of the sublayers; tf-keras leaves those of some out.
    const std::size_t own = parts.size() > levels + 1 ? parts.size() - levels - 1 : parts.size() - 1;
    if (node.name.empty()) node.name = joined(parts, 0, own);
    node.parameters.push_back(
        {parts.size() > 1 ? joined(parts, own, parts.size()) : local, {}, name_of_key(variable.key)});
  }

  // A Sequential's layers have its name before theirs, and no other model's have.
  void drop_model_name(std::size_t first) {
    if (first == layers_.size()) return;
    const std::string model = split(layers_[first].node.name).front() + "/";
    const auto has_it = [&](const FoundLayer& layer) { return layer.node.name.starts_with(model); };
    const auto begin = layers_.begin() + static_cast<std::ptrdiff_t>(first);
    if (!std::all_of(begin, layers_.end(), has_it)) return;
    for (auto layer = begin; layer != layers_.end(); ++layer) layer->node.name.erase(0, model.size());
  }

  // Nodes of one name would be calls of one layer.
  void name_by_path_where_equal() {
    std::map<std::string, int> used;
    for (const FoundLayer& layer : layers_) ++used[layer.node.name];
    for (FoundLayer& layer : layers_) {
      if (layer.node.name.empty() || used[layer.node.name] > 1)
        layer.node.name = joined(layer.path, 0, layer.path.size());
    }
    // A path may still be another one's name.
    std::set<std::string> names;
    for (FoundLayer& layer : layers_) {
      while (!names.insert(layer.node.name).second) layer.node.name += "_";
    }
  }

  std::vector<FoundLayer> by_variable_names() {
    const auto list = std::ranges::find(graph_[0].children, "variables", &TrackedObject::Child::name);
    if (list == graph_[0].children.end()) return {};
    std::map<std::string, std::size_t> known;
    for (const TrackedObject::Child& child : graph_[list->object].children) {
      const auto& variable = graph_[child.object].variable;
      if (!variable || variable->full_name.ends_with("seed_generator_state")) continue;
      const std::vector<std::string> parts = split(variable->full_name);
      std::size_t own = parts.size() - 1;
      while (own > 1 && is_scope_of_sublayer(parts[own - 1])) --own;
      const auto [found, is_new] = known.emplace(joined(parts, 0, own), layers_.size());
      if (is_new) layers_.emplace_back().node.name = found->first;
      layers_[found->second].node.parameters.push_back(
          {joined(parts, own, parts.size()), {}, name_of_key(variable->key)});
    }
    return std::move(layers_);
  }

  const ObjectGraph& graph_;
  const Where& where_;
  std::vector<bool> seen_;
  std::set<std::pair<std::size_t, std::size_t>> taken_;  // variables of each layer
  std::uint64_t path_bytes_ = 0;
  std::vector<FoundLayer> layers_;
};

// Keras' order of the variables that the layers of TensorFlow 1 had (tf.layers, slim); the number of known
// names for any other.
std::size_t rank_of(const std::string& variable) {
  static constexpr std::array names{"embeddings",       "kernel", "weights", "depthwise_kernel",
                                    "pointwise_kernel", "gamma",  "beta",    "moving_mean",
                                    "moving_variance",  "bias",   "biases"};
  return static_cast<std::size_t>(std::ranges::find(names, variable) - names.begin());
}

}  // namespace

std::vector<FoundLayer> find_layers(const ObjectGraph& graph, const Where& where) {
  return Finder(graph, where).run();
}

std::vector<FrameworkNode> layers_by_name(const std::vector<NamedTensor>& tensors) {
  static const std::size_t unknown_name = rank_of({});
  std::set<std::string> names;
  for (const NamedTensor& named : tensors) names.insert(named.name);
  std::map<std::string, std::vector<NodeParameter>> layers;
  for (const NamedTensor& named : tensors) {
    const std::size_t slash = named.name.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string layer = named.name.substr(0, slash);
    if (!names.contains(layer)) layers[layer].push_back({named.name.substr(slash + 1), {}, named.name});
  }
  std::vector<FrameworkNode> nodes;
  for (auto& [name, parameters] : layers) {
    const auto rank = [](const NodeParameter& parameter) { return rank_of(parameter.name); };
    if (std::ranges::any_of(parameters,
                            [&](const auto& parameter) { return rank(parameter) == unknown_name; }))
      continue;
    std::ranges::sort(parameters, {}, rank);
    FrameworkNode& node = nodes.emplace_back();
    node.name = name;
    node.settings = Json::object();
    node.parameters = std::move(parameters);
  }
  return nodes;
}

}  // namespace tieout::tf_checkpoint
