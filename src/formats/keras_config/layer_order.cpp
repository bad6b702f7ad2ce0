#include "formats/keras_config/layer_order.h"

#include <algorithm>
#include <map>

#include "formats/keras_config/names.h"

namespace tieout::keras {

namespace {

class Walk {
 public:
  explicit Walk(const FrameworkModel& model) : nodes_(model.nodes), state_(nodes_.size(), State::fresh) {
    layer_of_.resize(nodes_.size());
    std::map<std::string, std::size_t> layers;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      layer_of_[i] = layers.try_emplace(nodes_[i].name, layers.size()).first->second;
      if (layer_of_[i] == first_call_.size()) first_call_.push_back(i);
    }
    met_.assign(first_call_.size(), never);
    for (const ValueRef& output : model.outputs) visit(output.node);
  }

  [[nodiscard]] std::vector<std::size_t> order() const {
    std::vector<int> depth_of_call(nodes_.size(), 0);
    std::vector<int> depth_of_layer(first_call_.size(), 0);
    for (auto call = done_.rbegin(); call != done_.rend(); ++call) {
      int& layer_depth = depth_of_layer[layer_of_[*call]];
      const int depth = std::max(depth_of_call[*call], layer_depth);
      depth_of_call[*call] = layer_depth = depth;
      for (const NodeInput& input : nodes_[*call].inputs) {
        if (input.value.node < 0) continue;
        int& parent = depth_of_call[static_cast<std::size_t>(input.value.node)];
        parent = std::max(parent, depth + 1);
      }
    }
    std::vector<std::size_t> layers;
    for (std::size_t layer = 0; layer < first_call_.size(); ++layer) {
      if (met_[layer] != never && !is_operation(nodes_[first_call_[layer]].module)) layers.push_back(layer);
    }
    std::ranges::sort(layers, [&](std::size_t a, std::size_t b) {
      if (depth_of_layer[a] != depth_of_layer[b]) return depth_of_layer[a] > depth_of_layer[b];
      return met_[a] < met_[b];
    });
    std::vector<std::size_t> calls;
    for (const std::size_t layer : layers) calls.push_back(first_call_[layer]);
    return calls;
  }

 private:
  enum class State : std::uint8_t { fresh, open, done };
  static constexpr std::size_t never = static_cast<std::size_t>(-1);

  // Depth first with a stack of our own: models can be deep. Indices are given before the inputs are visited,
  // done_ is in the order in which calls are left.
  void visit(int from) {
    if (from < 0) return;
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // call, next input
    enter(static_cast<std::size_t>(from), stack);
    while (!stack.empty()) {
      auto& [call, next] = stack.back();
      if (next == nodes_[call].inputs.size()) {
        state_[call] = State::done;
        done_.push_back(call);
        stack.pop_back();
        continue;
      }
      const int input = nodes_[call].inputs[next++].value.node;
      if (input >= 0) enter(static_cast<std::size_t>(input), stack);
    }
  }

  void enter(std::size_t call, std::vector<std::pair<std::size_t, std::size_t>>& stack) {
    if (state_.at(call) == State::open) throw internal_error("the graph of a model has a circle");
    if (state_[call] == State::done) return;
    state_[call] = State::open;
    std::size_t& met = met_[layer_of_[call]];
    if (met == never) met = counter_++;
    stack.emplace_back(call, 0);
  }

  const std::vector<FrameworkNode>& nodes_;
  std::vector<State> state_;
  std::vector<std::size_t> layer_of_;    // by call
  std::vector<std::size_t> first_call_;  // by layer
  std::vector<std::size_t> met_;         // by layer
  std::vector<std::size_t> done_;
  std::size_t counter_ = 0;
};

}  // namespace

std::vector<std::size_t> layer_order(const FrameworkModel& model) {
  return Walk(model).order();
}

}  // namespace tieout::keras
