#include "layers/shared/composition.h"

#include <utility>

namespace tieout {

int add_part(Lifter& lifter, const std::string& kind, const Json& settings, const std::string& helper,
             const std::vector<int>& inputs) {
  Layer layer = lifter.layer(kind);
  if (!helper.empty()) layer.name += "_" + helper;
  if (!inputs.empty()) layer.inputs = inputs;
  layer.settings = settings;
  const auto outputs = lifter.add(std::move(layer));
  return outputs.empty() ? -1 : outputs[0];
}

Json with_number(const Json& number) {
  return {{"operands", Json::array({{{"input", 0}}, number})}};
}

Json power_of(const Json& number) {
  Json settings = with_number(number);
  settings["function"] = "power";
  return settings;
}

}  // namespace tieout
