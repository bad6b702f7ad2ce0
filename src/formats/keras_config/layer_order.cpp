#include "formats/keras_config/layer_order.h"

#include <algorithm>
#include <map>

#include "formats/keras_config/names.h"

namespace tieout::keras {

namespace {

// Calls are the model's nodes, then its inputs: an InputLayer is an operation as any other.
class Walk {
 public:
  explicit Walk(const FrameworkModel& model)
      : nodes_(model.nodes),
        state_(nodes_.size() + model.inputs.size(), State::fresh),
        layer_of_(state_.size()) {
    std::map<std::string, std::size_t> layers;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      layer_of_[i] = layers.try_emplace(nodes_[i].name, layers.size()).first->second;
      if (layer_of_[i] == first_call_.size()) first_call_.push_back(i);
    }
    for (std::size_t i = nodes_.size(); i < state_.size(); ++i) {
      layer_of_[i] = first_call_.size();
      first_call_.push_back(i);
    }
    met_.assign(first_call_.size(), never);
    for (const ValueRef& output : model.outputs) visit(call_of(output));
  }

  // The first call of each operation.
  [[nodiscard]] std::vector<std::size_t> order() const {
    std::vector<int> depth_of_call(state_.size(), 0);
    std::vector<int> depth_of_layer(first_call_.size(), 0);
    for (auto call = done_.rbegin(); call != done_.rend(); ++call) {
      int& layer_depth = depth_of_layer[layer_of_[*call]];
      const int depth = std::max(depth_of_call[*call], layer_depth);
      depth_of_call[*call] = layer_depth = depth;
      for (std::size_t k = 0; k < inputs_of(*call); ++k) {
        int& parent = depth_of_call[call_of(nodes_[*call].inputs[k].value)];
        parent = std::max(parent, depth + 1);
      }
    }
    std::vector<std::size_t> layers;
    for (std::size_t layer = 0; layer < first_call_.size(); ++layer) {
      if (met_[layer] != never || is_input(first_call_[layer])) layers.push_back(layer);
    }
    // An input that nothing takes has depth 0 and comes before all that have.
    const auto index = [&](std::size_t layer) { return met_[layer] == never ? 0 : met_[layer] + 1; };
    std::ranges::stable_sort(layers, [&](std::size_t a, std::size_t b) {
      if (depth_of_layer[a] != depth_of_layer[b]) return depth_of_layer[a] > depth_of_layer[b];
      return index(a) < index(b);
    });
    std::vector<std::size_t> calls;
    for (const std::size_t layer : layers) calls.push_back(first_call_[layer]);
    return calls;
  }

  [[nodiscard]] bool is_input(std::size_t call) const { return call >= nodes_.size(); }

 private:
  enum class State : std::uint8_t { fresh, open, done };
  static constexpr std::size_t never = static_cast<std::size_t>(-1);

  [[nodiscard]] std::size_t call_of(const ValueRef& value) const {
    if (value.node == ValueRef::model_input) return nodes_.size() + static_cast<std::size_t>(value.output);
    return static_cast<std::size_t>(value.node);
  }
  [[nodiscard]] std::size_t inputs_of(std::size_t call) const {
    return is_input(call) ? 0 : nodes_[call].inputs.size();
  }

  // Depth first with a stack of our own: models can be deep. Indices are given before the inputs are visited,
  // done_ is in the order in which calls are left.
  void visit(std::size_t from) {
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // call, next input
    enter(from, stack);
    while (!stack.empty()) {
      auto& [call, next] = stack.back();
      if (next == inputs_of(call)) {
        state_[call] = State::done;
        done_.push_back(call);
        stack.pop_back();
        continue;
      }
      enter(call_of(nodes_[call].inputs[next++].value), stack);
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
  const Walk walk(model);
  std::vector<std::size_t> layers;
  for (const std::size_t call : walk.order()) {
    if (!walk.is_input(call) && !is_operation(model.nodes[call].module)) layers.push_back(call);
  }
  return layers;
}

std::map<std::size_t, std::size_t> operation_places(const FrameworkModel& model) {
  const Walk walk(model);
  std::map<std::size_t, std::size_t> places;
  std::size_t place = 0;
  for (const std::size_t call : walk.order()) {
    if (!walk.is_input(call)) places[call] = place;
    ++place;
  }
  return places;
}

}  // namespace tieout::keras
