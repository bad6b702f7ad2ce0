#include "layers/shared/keras_operation.h"

#include <utility>

namespace tieout {

void add_operation(Lowerer& lowerer, const std::string& class_name, const Json& settings,
                   const std::string& module, const std::string& helper) {
  FrameworkNode node;
  node.class_name = class_name;
  node.module = module;
  node.settings = settings;
  lowerer.add_node(std::move(node), helper);
}

}  // namespace tieout
