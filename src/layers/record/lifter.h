// What a layer kind sees of a framework node, and how it says what the node means.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "layers/record/refusal.h"
#include "layers/record/settings.h"
#include "model/model.h"

namespace tieout {

// Reads one node of `source` into layers of `model`. A typical kind does:
//
//   Layer layer = lifter.layer("dense");
//   layer.settings = {{"units", units}};
//   layer.parameters.push_back(lifter.parameter("kernel", "o i", {lifter.term("weight", "o i")}, sizes));
//   lifter.add(std::move(layer));
//
// Variables must be asked for in the order in which Keras lists the layer's weights: files without names are
// read by that order. Each node parameter that no term took is reported afterwards.
class Lifter {
 public:
  // `inputs` are values of `model`. For a node that the lowering has just made (`fresh`), variables are not
  // looked up but created, in the node's parameter list.
  Lifter(Model& model, FrameworkModel& source, int node, std::vector<int> inputs, bool fresh);

  [[nodiscard]] const FrameworkNode& node() const { return source_.nodes[static_cast<std::size_t>(node_)]; }
  [[nodiscard]] bool is_torch() const { return model_.framework == Framework::torch; }
  [[nodiscard]] bool is_keras() const { return model_.framework == Framework::keras; }
  [[nodiscard]] const SettingsReader& settings() const { return settings_; }
  // The file holds tensors only: there are no inputs, and sizes come from the tensors.
  [[nodiscard]] bool weights_only() const { return !model_.has_architecture; }

  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] const Value& input(std::size_t k = 0) const;
  // Size of an axis of input k, `unknown` when it or the rank is not known. Negative axes count from the end.
  [[nodiscard]] std::int64_t size(std::size_t k, int axis) const;
  // Error(malformed) when that size is known and another one: settings that contradict the input.
  void expect_size(std::size_t k, int axis, std::int64_t expected) const;
  // Says that input k has these axes. `names` in canonical order; `order[j]` is the place of names[j] in the
  // value (empty: the same order). Names axes that have no name yet, gives an unknown input its rank, and
  // throws Error(malformed) when the rank is another. A no-op without architecture.
  void roles(std::size_t k, const std::vector<std::string>& names, const std::vector<int>& order = {});

  // The node's variable as a term. `name`: "weight" (PyTorch), "kernel", "query/kernel" (Keras). `path`:
  // where Keras 3 stores it in the layer's group; "vars/<n>" with n counted up by default. The pattern as in
  // tensor/pattern.h. Error(malformed) when the node has no such variable.
  Term term(const std::string& name, const std::string& pattern, const std::string& path = {});
  // Whether the node has it. Only for files: a fresh node has nothing yet, so ask the settings first.
  [[nodiscard]] bool has_variable(const std::string& name) const;

  // A parameter with sizes. Sizes not given (or unknown) are solved from the tensors' shapes; a tensor whose
  // shape does not fit is an Error(malformed) naming it.
  Parameter parameter(const std::string& name, const std::string& canonical, std::vector<Term> terms,
                      AxisSizes sizes = {}, const std::string& along = {});
  // A parameter that this framework does not store.
  Parameter constant(const std::string& name, const std::string& canonical, AxisSizes sizes, double value);

  // A layer of this node with the node's inputs.
  [[nodiscard]] Layer layer(const std::string& kind) const;
  // Adds the layer, makes its output values (through the kind's infer) and returns them. What is added next
  // to the same node takes them as its inputs: a fused activation follows its host.
  std::vector<int> add(Layer layer);
  // Adds the layer for a Keras `activation` setting: null and "linear" add nothing.
  void add_activation(const Json& activation);
  // Keras: lifts the layer that this one wraps, {"class_name", "config"}, as if it stood here itself. Its
  // variables lie under `path` ("layer/") in this node.
  void add_wrapped(const Json& layer, const std::string& path);

  // The major version of the Keras that wrote the file; 3 where the file does not say.
  [[nodiscard]] int keras_major() const;

  [[noreturn]] void refuse(const std::string& reason, const std::string& way_out) const;

  // The values that the node ends with: outputs of the last layer added, or its inputs when none was added.
  [[nodiscard]] const std::vector<int>& outputs() const { return inputs_; }
  // Full names of the node's tensors that no term took.
  [[nodiscard]] std::vector<std::string> untouched() const;

 private:
  [[nodiscard]] NodeParameter* find_variable(const std::string& name, const std::string& path);
  std::string create_variable(const std::string& name, const std::string& path);
  // A kind that takes the same axis order in both frameworks names axes that have no name by their place, so
  // that both sides' names agree.
  void name_neutrally(const Layer& layer);
  void solve_sizes(Parameter& parameter) const;

  Model& model_;
  FrameworkModel& source_;
  int node_;
  std::vector<int> inputs_;
  bool fresh_;
  SettingsReader settings_;
  bool has_paths_;                  // Keras: do the node's variables have paths, or only an order?
  std::vector<std::size_t> taken_;  // indices of node parameters
  int next_path_ = 0;
};

}  // namespace tieout
