#include "layers/shared/own_class.h"

#include <utility>

namespace tieout {

void add_own_class(Lowerer& lowerer, const std::string& name, const std::string& definition,
                   const Json& settings, const std::string& helper) {
  FrameworkNode node;
  node.class_name = "tieout." + name;
  node.settings = settings;
  node.definition = definition;
  lowerer.add_node(std::move(node), helper);
}

}  // namespace tieout
