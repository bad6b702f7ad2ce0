// The intermediate model: a graph of layers in explicit, framework-neutral terms.
//
// Values keep the axis order of the framework they were lifted from; axes are known by name, so that the same
// axis can be found on both sides. A layer's settings are neutral (padding as low/high counts, never "same").
// What a layer kind's settings and parameters are is said in its file in src/layers/.
#pragma once

#include <string>
#include <vector>

#include "model/finding.h"
#include "model/framework_model.h"
#include "tensor/pattern.h"

namespace tieout {

// One axis of a value. "n" is the batch. A flattened axis knows the axes it was made of, outermost first.
struct Axis {
  std::string name;
  std::int64_t size = unknown;
  std::vector<Axis> parts;  // never nested deeper: parts have no parts

  // Names begin as "_0_1" (axis 1 of input 0), until a layer says what the axis is.
  [[nodiscard]] bool is_unnamed() const { return name.starts_with('_'); }
  bool operator==(const Axis&) const = default;
};

using Axes = std::vector<Axis>;

Shape shape_of(const Axes& axes);
// "n h w c", "n (c h w)".
std::string to_pattern(const Axes& axes);

struct Value {
  Axes axes;           // empty when not even the rank is known
  bool known = false;  // whether `axes` tells the rank
  DType dtype = DType::f32;
};

// How one tensor of the file holds a parameter.
struct Term {
  std::string tensor;  // full name in FrameworkModel::tensors
  Pattern pattern;     // how it lies there; its free axes are the parameter's
};

// A parameter in canonical form: an array over named axes. It is the sum of its terms, or `constant` where
// the framework stores nothing (no bias: 0; no gamma: 1).
struct Parameter {
  std::string name;   // "kernel"
  Pattern canonical;  // axis order of the array that Compute sees; labelled axes in canonical order
  AxisSizes sizes;    // of all elementary axes but the labelled ones
  // The axis of `canonical` that runs along the last axis of input 0, so that a flattened one can be
  // reordered.
  std::string along;
  std::vector<Term> terms;
  double constant = 0;
  // Bookkeeping of one framework (num_batches_tracked) that the other has no place for: left out, or
  // `constant`.
  bool bookkeeping = false;
  DType dtype = DType::f32;  // of tensors made from the constant
};

struct Layer {
  std::string name;  // of the framework's layer; a fused activation has the same name as its host
  std::string kind;  // a LayerKind
  int node = 0;      // in FrameworkModel::nodes
  Json settings = Json::object();
  std::vector<int> inputs;   // values
  std::vector<int> outputs;  // values
  // For each input: where the kind's canonical axes lie in the value; empty: in the same order.
  // conv2d (canonical n c h w) has {0, 3, 1, 2} in channels_last Keras.
  std::vector<std::vector<int>> orders;
  std::vector<int> output_order;  // the same for output 0; empty: the same order
  std::vector<Parameter> parameters;
};

struct Model {
  Framework framework = Framework::torch;
  std::string name;
  std::string file;
  bool has_architecture = false;  // false: layers are known by their tensors only, without values
  std::vector<Value> values;
  std::vector<std::string> input_names;
  std::vector<int> inputs;    // values
  std::vector<Layer> layers;  // topological
  std::vector<int> outputs;   // values
  Findings findings;

  // Renames the axis in every value and parameter.
  void rename_axis(const std::string& old_name, const std::string& new_name);
  // The layer that makes the value, -1 for a model input.
  [[nodiscard]] int producer(int value) const;
  // True for the value that the framework itself can show: the last one of its node.
  [[nodiscard]] bool is_observable(int value) const;
};

// Lines of text, one a layer: name, kind, settings, axes. For tests and `--dump`.
std::string dump(const Model& model);

}  // namespace tieout
