// The record of a layer kind: everything that tieout knows about it, in one file of src/layers/.
//
// src/layers/conv2d.cpp defines `LayerKind conv2d()` in namespace tieout::layers. CMake collects the files
// into all_layers(); nothing else needs to know: converting, verifying, `tieout layers`, docs/layers.md and
// the judge tests all follow from the record.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "layers/record/lifter.h"
#include "layers/record/lowerer.h"
#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

// How far a framework's class is carried.
enum class Status {
  exact,     // one layer on the other side
  composed,  // several layers on the other side; `reason` says which
  refused    // `reason` says why, and the way out
};

struct ClassEntry {
  std::string name;  // "Conv2D"; "Conv2d"; "torch.cat" for a function
  Status status = Status::exact;
  std::string reason;
};

// What Compute sees: everything in canonical axis order. (What ComputeFast sees: inputs as they lie.)
struct Evaluation {
  const Layer& layer;
  std::vector<const Array*> inputs;
  const std::map<std::string, Array>& parameters;  // by name, axes as in Parameter::canonical
  // For each input, where nobody reads it after this layer: itself, to be taken; otherwise null. May be
  // shorter.
  std::vector<Array*> spent;

  // Input k as an array of one's own: itself where it is spent, else a copy. Call it once for each k.
  [[nodiscard]] Array take(std::size_t k) const;
  [[nodiscard]] const Array& parameter(const std::string& name) const;
  // Settings of the layer; Error(internal) when missing.
  [[nodiscard]] std::int64_t integer(const std::string& name) const;
  [[nodiscard]] double number(const std::string& name) const;
  [[nodiscard]] bool flag(const std::string& name) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name) const;
};

// A known way to carry the layer wrongly. `mutate` turns a layer into the variant in which a file that was
// written with the mistake reads right, or, the same thing, a right file reads with the mistake; false when
// the mistake cannot be told from the right way here (a gate order with one unit, eps equal to the other's).
struct Mistake {
  std::string name;     // "gate_order"; the cause in reports
  std::string message;  // "the gates stand in PyTorch's order r, z, n"
  // `inputs`: the axes of the layer's inputs, in the framework's order.
  std::function<bool(Layer&, Framework, const std::vector<Axes>& inputs)> mutate;
};

// One setting in which the kind is tested in the real frameworks. The judge tests make the layer from
// `settings` in that framework, randomise all its parameters, convert it and compare.
struct Case {
  std::string name;  // "stride 2, same, even size"
  Framework framework = Framework::torch;
  std::string class_name;           // one of the kind's classes
  Json settings;                    // constructor arguments
  std::vector<Shape> input_shapes;  // with batch (>= 2), in the framework's layout
  // "normal", "small" (0.01 x normal), "positive", "above one", "boolean", "indices:N" (integers below N);
  // one word for all inputs, or one for each: "normal,indices:2".
  std::string inputs = "normal";
  // Keras computes something in float32 here even under float64 (semantics of its own code): compare at 1e-6.
  bool keras_rounds_to_float32 = false;
  // The other framework has nothing that computes this: converting is refused, computing is not.
  bool target_refuses = false;
  // What the other framework gets is composed of layers that nothing leads back from: the way back is refused
  // by name.
  bool back_refuses = false;
};

struct LayerKind {
  std::string name;  // the file's
  std::vector<ClassEntry> torch;
  std::vector<ClassEntry> keras;
  std::string summary;               // one sentence: what it computes, shapes in letters
  std::vector<std::string> sources;  // where the facts come from

  // Reads a framework node into layers of the model. Throws Refusal (through Lifter::refuse).
  std::function<void(Lifter&)> lift;

  // Canonical output axes (of output 0, 1, ...) from the canonical input axes. Null: the same as input 0.
  std::function<std::vector<Axes>(const Layer&, const std::vector<Axes>&)> infer;

  // The layout that the target framework needs; see LayoutNeed. Null: any.
  std::function<LayoutNeed(const Layer&, Framework target)> need;

  // Writes a layer as nodes of the target framework. Null: the kind cannot be written to either. Throws
  // Refusal.
  std::function<void(Lowerer&)> lower;

  // What the layer computes in inference, for the interpreter: plain loops, the reference.
  std::function<std::vector<Array>(const Evaluation&)> compute;

  // The same but for rounding, fast, and without reordering axes: inputs lie as Layer::orders says, output 0
  // as Layer::output_order. Nothing, and nothing taken, where it does not do these settings: then `compute`
  // does. Null: never.
  std::function<std::optional<std::vector<Array>>(const Evaluation&)> compute_fast;

  // Number of products that are summed into one output element, for tolerances. Null: 1.
  std::function<double(const Layer&)> fan_in;

  // Does reordering the features of the input (a flattened axis) only reorder the output or the parameters?
  // Then flatten -> this kind needs no permute. True for dense, batch norm and elementwise kinds.
  bool absorbs_flatten = false;

  // The input holds indices (an embedding), not numbers to compute with.
  bool reads_indices = false;

  // It only reorders axes, as one framework needs it and the other does not: it needs no partner in the other
  // model.
  bool rearranges = false;

  // For a file that holds no architecture: does a group with these tensors (local names, shapes) look like
  // this kind? Gives a node with class and the settings that can be seen. Null: never.
  std::function<std::optional<FrameworkNode>(Framework, const std::vector<std::pair<std::string, Shape>>&)>
      recognise;

  std::vector<Mistake> mistakes;
  std::vector<Case> cases;
};

// All kinds, in the order of their names. Made by CMake.
const std::vector<LayerKind>& all_layers();

const LayerKind& kind_named(const std::string& name);  // Error(internal) when there is none
// The kind that reads the framework's class, or nullptr.
const LayerKind* kind_of_class(Framework framework, const std::string& class_name);

}  // namespace tieout
