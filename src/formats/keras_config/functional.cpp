#include "formats/keras_config/functional.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

#include "formats/keras_config/call.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/layer_entry.h"

namespace tieout::keras {

namespace {

// A call before the calls are put in order.
struct FileCall {
  std::size_t layer;
  Call call;
};

class Graph {
 public:
  Graph(const Json& entries, const std::vector<LayerEntry>& layers, const Where& where)
      : entries_(entries), layers_(layers), where_(where), calls_of_(layers.size()) {
    for (std::size_t i = 0; i < layers.size(); ++i) by_name_[layers[i].name] = i;
    for (std::size_t i = 0; i < layers.size(); ++i) read_calls(i);
  }

  void fill(const Json& config, FrameworkModel& model) {
    read_inputs(config, model);
    order();
    for (const std::size_t number : order_) model.nodes.push_back(node(calls_[number]));
    const Json* outputs = member(config, "output_layers");
    if (outputs == nullptr) throw malformed("the Functional model has no output_layers", where_);
    for (const History& history : parse_histories(*outputs, where_)) {
      model.outputs.push_back(value(history, true));
    }
  }

 private:
  void read_calls(std::size_t layer) {
    if (layers_[layer].is_input) return;
    const Json* nodes = member(entries_[layer], "inbound_nodes");
    if (nodes == nullptr || !nodes->is_array() || nodes->empty()) {
      throw malformed("the layer " + layers_[layer].name + " is never called", where_);
    }
    const auto is_layer = [this](const std::string& name) { return by_name_.contains(name); };
    for (const Json& node : *nodes) {
      calls_of_[layer].push_back(calls_.size());
      calls_.push_back({layer, parse_call(node, is_layer, where_)});
    }
  }

  void read_inputs(const Json& config, FrameworkModel& model) {
    for (const History& history : parse_histories(config.at("input_layers"), where_)) {
      const auto found = by_name_.find(history.layer);
      if (found == by_name_.end() || !layers_[found->second].is_input) {
        throw malformed("the model's input " + history.layer + " is no InputLayer", where_);
      }
      const auto input = read_input(history.layer, config_of(entries_[found->second]), where_);
      if (!input) throw malformed("the InputLayer " + history.layer + " states no batch_shape", where_);
      inputs_[history.layer] = static_cast<int>(model.inputs.size());
      model.inputs.push_back(*input);
    }
  }

  // The number of the call that `history` speaks of. Calls of nested models may be counted from 1: by Keras 3
  // in output_layers for Functional ones, by Keras 2 everywhere.
  std::size_t call_number(const History& history, bool is_output) const {
    const auto found = by_name_.find(history.layer);
    if (found == by_name_.end()) throw malformed("no layer is called " + history.layer, where_);
    const std::vector<std::size_t>& calls = calls_of_[found->second];
    const Json* config = member(entries_[found->second], "config");
    const bool nested = config != nullptr && member(*config, "layers") != nullptr;
    const Json& nodes = entries_[found->second].at("inbound_nodes");
    const bool keras2 = nodes.front().is_array();
    const bool functional = nested && member(*config, "input_layers") != nullptr;
    auto call = static_cast<std::size_t>(history.call);
    const bool from_one = (nested && keras2) || (functional && is_output);
    if (from_one && call > 0) --call;
    if (call >= calls.size()) {
      throw malformed("the layer " + history.layer + " has no call " + std::to_string(history.call), where_);
    }
    return calls[call];
  }

  ValueRef value(const History& history, bool is_output) const {
    const auto input = inputs_.find(history.layer);
    if (input != inputs_.end()) return {ValueRef::model_input, input->second};
    const auto found = by_name_.find(history.layer);
    if (found != by_name_.end() && layers_[found->second].is_input) {
      throw malformed("the InputLayer " + history.layer + " is no input of the model", where_);
    }
    return {position_[call_number(history, is_output)], history.output};
  }

  // Kahn's algorithm; of the calls that are ready, the first one in the file goes first.
  void order() {
    std::vector<std::size_t> missing(calls_.size(), 0);
    std::vector<std::vector<std::size_t>> users(calls_.size());
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (const CallInput& input : calls_[i].call.inputs) {
        if (inputs_.contains(input.from.layer)) continue;
        const auto layer = by_name_.find(input.from.layer);
        if (layer != by_name_.end() && layers_[layer->second].is_input) continue;  // value() refuses it
        users[call_number(input.from, false)].push_back(i);
        ++missing[i];
      }
    }
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (missing[i] == 0) ready.push(i);
    }
    position_.assign(calls_.size(), 0);
    while (!ready.empty()) {
      const std::size_t next = ready.top();
      ready.pop();
      position_[next] = static_cast<int>(order_.size());
      order_.push_back(next);
      for (const std::size_t user : users[next]) {
        if (--missing[user] == 0) ready.push(user);
      }
    }
    if (order_.size() != calls_.size()) throw malformed("the calls of the layers form a circle", where_);
  }

  FrameworkNode node(const FileCall& file_call) const {
    const LayerEntry& layer = layers_[file_call.layer];
    FrameworkNode node;
    node.name = layer.name;
    node.class_name = layer.class_name;
    node.module = layer.module;
    node.settings = config_of(entries_[file_call.layer]);
    node.inputs_as_list = file_call.call.inputs_as_list;
    for (const CallInput& input : file_call.call.inputs) {
      node.inputs.push_back({value(input.from, false), input.keyword});
    }
    if (!file_call.call.args.is_null()) {
      node.settings["args"] = file_call.call.args;
      node.settings["kwargs"] = file_call.call.kwargs;
    }
    return node;
  }

  const Json& entries_;
  const std::vector<LayerEntry>& layers_;
  const Where& where_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, int> inputs_;
  std::vector<FileCall> calls_;
  std::vector<std::vector<std::size_t>> calls_of_;  // by layer
  std::vector<std::size_t> order_;
  std::vector<int> position_;  // of each call in order_
};

}  // namespace

void read_functional(const Json& config, const Json& entries, const std::vector<LayerEntry>& layers,
                     FrameworkModel& model, const Where& where) {
  Graph(entries, layers, where).fill(config, model);
}

}  // namespace tieout::keras
