// Small framework models for the tests of this folder.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout::test {

inline LazyTensor tensor(const Shape& shape, const std::vector<double>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(double));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return make_tensor(DType::f64, shape, std::move(bytes));
}

inline FrameworkModel model(Framework framework, const Shape& input) {
  FrameworkModel made;
  made.framework = framework;
  made.file = framework == Framework::torch ? "a.pt" : "b.keras";
  made.has_architecture = true;
  made.inputs = {{"input", input, DType::f64, {}}};
  made.outputs = {{ValueRef::model_input, 0}};
  return made;
}

struct Stored {
  std::string name;  // PyTorch: "weight"; Keras: ignored but for messages
  LazyTensor tensor;
};

// Appends a node behind the last one; the model ends with it.
inline void add(FrameworkModel& to, const std::string& name, const std::string& class_name,
                const Json& settings, const std::vector<Stored>& stored = {}) {
  FrameworkNode node;
  node.name = name;
  node.class_name = class_name;
  node.settings = settings;
  node.inputs = {{to.outputs[0], {}}};
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const std::string full = name + "/" + stored[i].name;
    const bool torch = to.framework == Framework::torch;
    node.parameters.push_back({torch ? stored[i].name : "", torch ? "" : "vars/" + std::to_string(i), full});
    to.tensors.push_back({full, stored[i].tensor});
  }
  to.nodes.push_back(node);
  to.outputs = {{static_cast<int>(to.nodes.size()) - 1, 0}};
}

}  // namespace tieout::test
