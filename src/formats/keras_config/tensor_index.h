// Finding a model's tensors by name, for writers.
#pragma once

#include <string>
#include <unordered_map>

#include "model/framework_model.h"

namespace tieout::keras {

// Refers to the model, which must outlive it.
class TensorIndex {
 public:
  explicit TensorIndex(const FrameworkModel& model) {
    for (const NamedTensor& tensor : model.tensors) by_name_.try_emplace(tensor.name, &tensor.tensor);
  }

  // Error(internal) when there is none: nodes refer to tensors of their own model.
  [[nodiscard]] const LazyTensor& get(const std::string& name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) throw internal_error("a layer's tensor is missing: " + name);
    return *found->second;
  }

 private:
  std::unordered_map<std::string, const LazyTensor*> by_name_;
};

}  // namespace tieout::keras
