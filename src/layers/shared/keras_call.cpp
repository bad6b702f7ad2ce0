#include "layers/shared/keras_call.h"

#include <algorithm>

#include "tieout/error.h"

namespace tieout {

namespace {

void bind(KerasCall& call, const std::string& name, const Json& value) {
  if (value.is_null() || (name == "training" && value == false)) return;
  const bool is_tensor =
      value.is_object() && value.size() == 1 && value.contains("input") && value["input"].is_number_integer();
  if (is_tensor) {
    call.tensors[name] = value["input"].get<std::size_t>();
  } else {
    call.constants[name] = value;
  }
}

const std::string& name_at(const std::vector<std::string>& names, std::size_t place) {
  if (place >= names.size())
    throw malformed("the layer is called with more arguments than tieout knows by position");
  return names[place];
}

}  // namespace

bool KerasCall::take_flag(Lifter& lifter, const std::string& name) {
  const auto found = constants.find(name);
  if (found == constants.end()) return false;
  if (!found->second.is_boolean()) {
    lifter.refuse("it is called with " + name + "=" + found->second.dump().substr(0, 60),
                  "call it with True or False");
  }
  const bool value = found->second.get<bool>();
  constants.erase(found);
  return value;
}

void KerasCall::expect_only(Lifter& lifter, const std::vector<std::string>& known) const {
  const std::string way_out = "call it without";
  for (const auto& [name, number] : tensors) {
    if (std::ranges::find(known, name) == known.end()) {
      lifter.refuse("it is called with " + name + ", which is not carried", way_out);
    }
  }
  for (const auto& [name, value] : constants) {
    lifter.refuse("it is called with " + name + "=" + value.dump().substr(0, 60) + ", which is not carried",
                  way_out);
  }
}

KerasCall keras_call(Lifter& lifter, const std::vector<std::string>& names) {
  KerasCall call;
  const Json& args = lifter.settings().raw("args");
  if (args.is_array()) {
    std::size_t place = 0;
    for (const Json& arg : args) {
      if (arg.is_array()) {
        for (const Json& item : arg) bind(call, name_at(names, place++), item);
        place = names.size();  // what follows a list has another name than its items
      } else if (!arg.is_null()) {
        bind(call, name_at(names, place++), arg);
      } else {
        ++place;
      }
    }
    const Json& kwargs = lifter.settings().raw("kwargs");
    for (const auto& [name, value] : kwargs.items()) bind(call, name, value);
    return call;
  }
  std::size_t place = 0;
  const auto& inputs = lifter.node().inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::string name = inputs[k].keyword.empty() ? name_at(names, place++) : inputs[k].keyword;
    if (!call.tensors.emplace(name, k).second) {
      lifter.refuse("it is called with several tensors as " + name, "call it without " + name);
    }
  }
  return call;
}

}  // namespace tieout
