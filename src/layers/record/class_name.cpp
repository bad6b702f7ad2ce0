#include "layers/record/class_name.h"

namespace tieout {

bool is_keras_operator(const FrameworkNode& node) {
  return node.module.starts_with("keras.src.ops") || node.module.starts_with("keras.ops");
}

std::string listed_class(const FrameworkNode& node) {
  if (is_keras_operator(node)) return "ops." + node.class_name;
  const bool is_function = node.class_name == "TFOpLambda" || node.class_name == "SlicingOpLambda";
  if (is_function && node.settings.is_object()) {
    const auto function = node.settings.find("function");
    if (function != node.settings.end() && function->is_string()) return "tf." + function->get<std::string>();
  }
  return node.class_name;
}

}  // namespace tieout
