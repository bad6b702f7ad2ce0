// What a layer kind sees when a layer is written in the other framework's words.
#pragma once

#include <string>
#include <vector>

#include "layers/record/refusal.h"
#include "model/model.h"

namespace tieout {

// Which axis order a kind needs in the target.
struct LayoutNeed {
  enum class Kind {
    any,       // works on whatever order the value has there
    source,    // the order of the source framework
    canonical  // a certain order of the kind's canonical axes
  };
  Kind kind = Kind::any;
  // For canonical: the target's axes, outermost first, as canonical axis numbers. Keras conv2d: {0, 2, 3, 1}.
  std::vector<int> order;
};

// Makes nodes of the target framework for one layer. Inputs have already been brought into the layout needed.
// A typical kind does:
//
//   lowerer.add("Linear", {{"in_features", n}, {"out_features", m}});
//
// Parameters are not named here: the kind's own lift makes them when the new node is read back at once.
class Lowerer {
 public:
  class Sink {  // the lowering pass (convert/lower)
   public:
    virtual ~Sink() = default;
    // Appends the node, lifts it, and returns its output's axes in the target.
    virtual void append(FrameworkNode node) = 0;
    [[nodiscard]] virtual const Axes& axes(const ValueRef& value) const = 0;
  };

  Lowerer(const Model& model, const Layer& layer, Framework target, std::vector<ValueRef> inputs, Sink& sink,
          int next_node);

  [[nodiscard]] const Layer& layer() const { return layer_; }
  [[nodiscard]] bool to_torch() const { return target_ == Framework::torch; }
  [[nodiscard]] bool to_keras() const { return target_ == Framework::keras; }

  // The inputs in the target; a node added without inputs takes all of them, later ones the node before.
  [[nodiscard]] const std::vector<ValueRef>& inputs() const { return current_; }
  // Axes of input k (or of the last node added, as input 0) in the target's order.
  [[nodiscard]] const Axes& axes(std::size_t k = 0) const { return sink_.axes(current_.at(k)); }
  // Axes of the layer's input k in the source's order.
  [[nodiscard]] const Axes& source_axes(std::size_t k = 0) const;
  // Where the axis that is `source_axis` in the source's value lies in the target's.
  [[nodiscard]] int target_axis(std::size_t k, int source_axis) const;

  // A parameter of the layer, or nullptr: e.g. whether there is a bias that is not constant.
  [[nodiscard]] const Parameter* parameter(const std::string& name) const;
  [[nodiscard]] bool stores(const std::string& name) const;  // parameter with at least one term

  // Appends a node with the current inputs; its output becomes the current input. PyTorch: class_name of
  // torch.nn, or a function "torch.cat" with `call` as in FrameworkNode::call. The node that carries the
  // parameters keeps the layer's name: it is the one added with `helper` empty; others are named NAME_helper.
  void add(const std::string& class_name, const Json& settings, const std::string& call = {},
           const std::string& helper = {});
  // The same for a node that the caller filled in (keyword inputs, inputs_as_list); empty inputs = current
  // ones.
  void add_node(FrameworkNode node, const std::string& helper = {});

  [[noreturn]] void refuse(const std::string& reason, const std::string& way_out) const;

 private:
  const Model& model_;
  const Layer& layer_;
  Framework target_;
  std::vector<ValueRef> current_;
  Sink& sink_;
  int next_node_;
};

}  // namespace tieout
