#include "formats/keras_config/call.h"

#include <algorithm>
#include <optional>

#include "formats/keras_config/document.h"

namespace tieout::keras {

namespace {

// Far above any model; keeps indices in an int.
constexpr std::int64_t max_index = 1'000'000;

std::optional<History> as_history(const Json& value) {
  if (!value.is_array() || value.size() < 3 || !value[0].is_string()) return std::nullopt;
  if (!value[1].is_number_integer() || !value[2].is_number_integer()) return std::nullopt;
  const auto call = value[1].get<std::int64_t>();
  const auto output = value[2].get<std::int64_t>();
  if (call < 0 || call > max_index || output < 0 || output > max_index) return std::nullopt;
  return History{value[0].get<std::string>(), static_cast<int>(call), static_cast<int>(output)};
}

std::optional<History> as_tensor(const Json& value, const Where& where) {
  if (text_member(value, "class_name") != "__keras_tensor__") return std::nullopt;
  const Json* config = member(value, "config");
  const Json* history = config == nullptr ? nullptr : member(*config, "keras_history");
  if (history == nullptr) throw malformed("a tensor of a call has no keras_history", where);
  const auto found = as_history(*history);
  if (!found) throw malformed("keras_history is not [layer, call, output]: " + history->dump(), where);
  return found;
}

bool has_tensor(const Json& list) {
  return std::ranges::any_of(list,
                             [](const Json& part) { return part.is_object() && part.contains("input"); });
}

// Collects the tensors of one argument and puts {"input": k} in their places. JSON is at most max_json_depth
// deep.
class Arguments {
 public:
  Arguments(Call& call, const Where& where) : call_(call), where_(where) {}

  Json take(const Json& value, const std::string& keyword) {
    if (const auto tensor = as_tensor(value, where_)) return add(*tensor, keyword);
    if (value.is_array()) {
      Json out = Json::array();
      for (const Json& part : value) out.push_back(take(part, keyword));
      // Which of several inputs each mask belongs to.
      constants_ = constants_ || (keyword == "mask" && has_tensor(out));
      return out;
    }
    if (value.is_object()) {
      Json out = Json::object();
      for (const auto& [key, part] : value.items()) out[key] = take(part, keyword);
      return out;
    }
    constants_ = constants_ || !value.is_null();
    return value;
  }

  Json add(const History& from, const std::string& keyword) {
    call_.inputs.push_back({from, keyword});
    return {{"input", call_.inputs.size() - 1}};
  }

  void constant() { constants_ = true; }
  [[nodiscard]] bool constants() const { return constants_; }

 private:
  Call& call_;
  const Where& where_;
  bool constants_ = false;
};

Call parse_keras3(const Json& value, const Where& where) {
  const Json* args = member(value, "args");
  const Json* kwargs = member(value, "kwargs");
  if (args == nullptr || !args->is_array()) throw malformed("a call without args", where);
  Call call;
  Arguments arguments(call, where);
  Json new_args = Json::array();
  Json new_kwargs = Json::object();
  bool has_gap = false;
  for (const Json& arg : *args) {
    has_gap = has_gap || arg.is_null();
    // A tensor behind a None, or a list behind others, is told by its place, which only `args` has.
    if ((has_gap && !arg.is_null()) || (arg.is_array() && !new_args.empty())) arguments.constant();
    new_args.push_back(arguments.take(arg, {}));
  }
  call.inputs_as_list = !args->empty() && args->front().is_array() && !call.inputs.empty();
  if (kwargs != nullptr && kwargs->is_object()) {
    for (const auto& [key, arg] : kwargs->items()) {
      // Keras says "training": false of each recurrent layer; it is what a carried model computes anyway.
      const bool inference = key == "training" && arg == false;
      new_kwargs[key] = inference ? arg : arguments.take(arg, key);
    }
  }
  if (arguments.constants()) {
    call.args = std::move(new_args);
    call.kwargs = std::move(new_kwargs);
  }
  return call;
}

// One keyword argument of Keras 2: a tensor, a list of tensors, or a constant.
Json take_keyword2(const Json& value, const std::string& key, Arguments& arguments, const IsLayer& is_layer) {
  const auto history = as_history(value);
  if (history && value.size() == 3 && is_layer(history->layer)) return arguments.add(*history, key);
  if (!value.is_array()) {
    if (!value.is_null() && key != "name") arguments.constant();
    return value;
  }
  Json out = Json::array();
  for (const Json& part : value) {
    const auto inner = as_history(part);
    const bool tensor = inner && part.size() == 3 && is_layer(inner->layer);
    if (!tensor) arguments.constant();
    out.push_back(tensor ? arguments.add(*inner, key) : part);
  }
  if (key == "mask" && has_tensor(out)) arguments.constant();
  return out;
}

Call parse_keras2(const Json& value, const IsLayer& is_layer, const Where& where) {
  Call call;
  Arguments arguments(call, where);
  Json args = Json::array();
  Json kwargs = Json::object();
  const Json list = !value.empty() && value.front().is_string() ? Json::array({value}) : value;
  for (const Json& input : list) {
    // tf-keras writes constants as ["_CONSTANT_VALUE", -1, value, {}].
    const bool constant = input.is_array() && input.size() >= 3 && input[0] == "_CONSTANT_VALUE";
    const auto from = as_history(input);
    if (constant) {
      arguments.constant();
      args.push_back(input[2]);
    } else if (from) {
      args.push_back(arguments.add(*from, {}));
    } else {
      throw malformed("an input of a call is not [layer, call, output]: " + input.dump().substr(0, 200),
                      where);
    }
  }
  call.inputs_as_list = call.inputs.size() > 1;
  if (call.inputs_as_list) args = Json::array({args});
  for (const Json& input : list) {
    if (input.size() < 4 || !input[3].is_object()) continue;
    for (const auto& [key, arg] : input[3].items())
      kwargs[key] = take_keyword2(arg, key, arguments, is_layer);
  }
  if (arguments.constants()) {
    call.args = std::move(args);
    call.kwargs = std::move(kwargs);
  }
  return call;
}

}  // namespace

Call parse_call(const Json& call, const IsLayer& is_layer, const Where& where) {
  if (call.is_object()) return parse_keras3(call, where);
  if (call.is_array()) return parse_keras2(call, is_layer, where);
  throw malformed("a call is neither {args, kwargs} nor a list", where);
}

std::vector<History> parse_histories(const Json& value, const Where& where) {
  if (const auto history = as_history(value)) return {*history};
  if (!value.is_array() && !value.is_object()) {
    throw malformed("expected [layer, call, output], found " + value.dump().substr(0, 200), where);
  }
  std::vector<History> all;
  std::vector<std::string> keys;
  if (value.is_object()) {
    // Keras flattens dictionaries in the order of their keys.
    for (const auto& [key, part] : value.items()) keys.push_back(key);
    std::ranges::sort(keys);
  }
  const auto append = [&](const Json& part) {
    for (History& history : parse_histories(part, where)) all.push_back(std::move(history));
  };
  for (const std::string& key : keys) append(value.at(key));
  if (value.is_array()) {
    for (const Json& part : value) append(part);
  }
  return all;
}

}  // namespace tieout::keras
