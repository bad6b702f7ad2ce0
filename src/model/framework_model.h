// A file in its framework's own words: what a format reads and writes.
//
// Formats know bytes and fill this in; layers give it meaning (convert/lift). Nothing here is interpreted:
// class names, settings and tensor names are those of the framework.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/finding.h"
#include "tensor/lazy_tensor.h"

// Made once, in framework_model.cpp: this halves what each file that uses Json costs to compile.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace tieout {

using Json = nlohmann::ordered_json;

enum class Framework { torch, keras };
const char* to_string(Framework framework);

// One output of a node, or (node == model_input) the input number `output` of the model.
struct ValueRef {
  static constexpr int model_input = -1;
  int node = model_input;
  int output = 0;
  bool operator==(const ValueRef&) const = default;
};

// How a call passes one input: PyTorch and Keras by position (name empty) or by keyword.
struct NodeInput {
  ValueRef value;
  std::string keyword;
};

// A parameter or buffer (PyTorch), a variable (Keras).
//   PyTorch: name "weight", "weight_ih_l0", "out_proj.weight"; path empty.
//   Keras:   name "kernel", "query/kernel" where the file tells it (.h5), otherwise empty;
//            path "vars/0", "query_dense/vars/0" as in .keras and .weights.h5, otherwise empty.
// Order: PyTorch as in state_dict; Keras .h5 as in weight_names.
struct NodeParameter {
  std::string name;
  std::string path;
  std::string tensor;  // its name in FrameworkModel::tensors
};

// One call of a layer. Calls of the same layer (shared weights) are nodes of the same name.
struct FrameworkNode {
  std::string name;        // "conv2d", "features.0"; empty for a nameless root module
  std::string class_name;  // "Conv2D" (Keras); "Conv2d", "LSTM" (torch.nn), "torch.cat" (torch functions),
                           // "tieout.ResetBeforeGRU" (defined in NAME.py itself); empty where the file holds
                           // no architecture
  std::string module;      // where the class lives: "keras.layers", "torch.nn.modules.conv"; may be empty
  Json settings;           // the framework's own: Keras config, torch attributes (constructor arguments)
  std::vector<NodeInput> inputs;
  bool inputs_as_list = false;  // Keras: call([a, b]) instead of call(a, b)
  std::vector<NodeParameter> parameters;

  // PyTorch, for writing NAME.py: the node's expression in forward(). {module} stands for the submodule, {0},
  // {1} for the inputs, {*} for all of them, separated by commas. Empty: "{module}({0})".
  // "{module}({0})[0]", "torch.cat(({*}), dim=1)", "{0}.permute(0, 2, 3, 1)".
  std::string call;
  std::string comment;  // what stands after that line: the output's shape, "(N, 6, 28, 28)"
  // For a class "tieout.NAME", which PyTorch does not have: the Python source of its nn.Module, a class of
  // that NAME. It may use torch, nn, F (torch.nn.functional) and math, and is printed once, above the model;
  // it ends with a line feed.
  std::string definition;
};

struct ModelInput {
  std::string name;  // Keras: the InputLayer's name; PyTorch: the argument's name
  Shape shape;       // with batch, `unknown` where free; empty when nothing is known
  DType dtype = DType::f32;
  // Names of its axes, outermost first, where tieout wrote the file ("n", "c", "h", "w"); empty otherwise:
  // then the layers name them.
  std::vector<std::string> axes;
};

// What the order of a file's tensors says of the order in which the layers were defined.
enum class TensorOrder {
  as_defined,    // it is the same: a state_dict, the list of layers of an .h5
  within_class,  // for layers of one class, in their groups' names: "dense", "dense_1"
  by_name        // nothing: names are sorted as text, "10" before "2"
};

struct FrameworkModel {
  Framework framework = Framework::torch;
  std::string format;  // the name of the Format that read it, "keras_zip"
  std::string file;    // for messages
  std::string name;    // of the model: Keras' own; PyTorch: the class

  // False for a bare state_dict and for weights-only files: then nodes are groups of tensors by prefix,
  // in file order, without class, settings and edges.
  bool has_architecture = false;

  std::vector<ModelInput> inputs;
  std::vector<FrameworkNode> nodes;  // in the order of the file, which is topological
  std::vector<ValueRef> outputs;

  // Every tensor of the file, by its full name there ("features.0.weight"; "layers/conv2d/vars/0";
  // "conv2d/conv2d/kernel:0"), in file order; those that no node refers to (optimizer state) included.
  std::vector<NamedTensor> tensors;
  TensorOrder order = TensorOrder::as_defined;

  // The architecture document as the file has it (config.json, model_config), so that a template can be
  // written again unchanged; null where there is none.
  Json document;

  // What was noticed while reading.
  Findings findings;

  [[nodiscard]] const LazyTensor* find_tensor(const std::string& full_name) const;
};

}  // namespace tieout
