#include "layers/shared/recurrent.h"

#include <algorithm>
#include <array>

#include "tieout/error.h"

namespace tieout {

namespace {

// No network is as wide or as deep; keeps products of sizes in an int64.
constexpr std::int64_t most_units = 1 << 24;
constexpr std::int64_t most_levels = 1024;

const std::vector<std::string> sequence_names{"n", "t", "f"};

// Where n t f lie, said to the lifter. PyTorch's batch_first=False puts time first.
std::vector<int> sequence_order(Lifter& lifter) {
  if (lifter.input_count() > 1 && !lifter.weights_only()) {
    lifter.refuse("it is called with a state or a mask", "call it with the sequence alone");
  }
  const bool time_first = lifter.is_torch() && !lifter.settings().flag("batch_first", false);
  const std::vector<int> order = time_first ? std::vector<int>{1, 0, 2} : std::vector<int>{0, 1, 2};
  if (lifter.weights_only()) return order;
  if (lifter.is_torch() && lifter.input().known && lifter.input().axes.size() == 2) {
    lifter.refuse("its input has no batch axis", "give the model a batch of one sequence");
  }
  lifter.roles(0, sequence_names, order);
  return order;
}

std::int64_t checked_units(std::int64_t units) {
  if (units <= 0 || units > most_units) throw malformed("the number of units must be positive");
  return units;
}

struct Level {
  std::int64_t units = 0;
  bool has_bias = true;
  std::string direction;
  std::string returns;
  Json own;
  std::vector<RecurrentPart> parts;
};

void add_level(Lifter& lifter, const RecurrentCell& cell, const Level& level, const std::vector<int>& order) {
  Layer layer = lifter.layer(cell.kind);
  layer.settings = {{"units", level.units}, {"direction", level.direction}, {"returns", level.returns}};
  layer.settings.update(level.own);
  if (!lifter.weights_only()) layer.orders = {order};
  for (RecurrentPart part : level.parts) {
    part.units = level.units;
    part.has_bias = level.has_bias;
    part.features = lifter.size(0, -1);
    cell.add_parameters(lifter, layer, part);
  }
  lifter.add(std::move(layer));
}

void lift_torch(Lifter& lifter, const RecurrentCell& cell) {
  const auto& given = lifter.settings();
  if (given.integer("proj_size", 0) != 0) {
    lifter.refuse("proj_size projects its state, which no Keras layer does",
                  "train the model with proj_size=0");
  }
  const std::int64_t levels = given.integer("num_layers", 1);
  if (levels <= 0 || levels > most_levels) throw malformed("num_layers must be positive");
  const bool both = given.flag("bidirectional", false);
  const auto order = sequence_order(lifter);
  Level level;
  level.units = checked_units(given.integer("hidden_size"));
  level.has_bias = given.flag("bias", true);
  level.direction = both ? "both" : "forward";
  level.own = cell.read(lifter, lifter.node().settings);
  for (std::int64_t k = 0; k < levels; ++k) {
    const std::string suffix = "_l" + std::to_string(k);
    level.parts = {{"", suffix, {}, {}}};
    if (both) level.parts.push_back({"reverse_", suffix + "_reverse", {}, {}});
    // A module gives the whole sequence; "_returns" is said by the nodes that tieout writes.
    level.returns = k + 1 < levels ? "sequence" : given.text("_returns", "sequence");
    add_level(lifter, cell, level, order);
  }
}

void refuse_keras_calls(Lifter& lifter, const SettingsReader& given) {
  if (given.flag("return_state", false)) {
    lifter.refuse("return_state gives its states as further outputs",
                  "build the model with return_state=False");
  }
  if (given.flag("stateful", false)) {
    lifter.refuse("it is stateful: its output depends on the calls before",
                  "build the model with stateful=False");
  }
  if (given.flag("time_major", false)) {
    lifter.refuse("time_major puts time before the batch", "build the model with time_major=False");
  }
  if (!lifter.settings().raw("kwargs").is_null() || !lifter.settings().raw("args").is_null()) {
    lifter.refuse("it is called with further arguments", "call it with the sequence alone");
  }
}

Level read_keras(Lifter& lifter, const RecurrentCell& cell, const Json& config) {
  const SettingsReader given(config, lifter.node().name);
  refuse_keras_calls(lifter, given);
  Level level;
  level.units = checked_units(given.integer("units"));
  level.has_bias = given.flag("use_bias", true);
  level.returns = given.flag("return_sequences", false) ? "sequence" : "last";
  level.direction = given.flag("go_backwards", false) ? "backward" : "forward";
  level.own = cell.read(lifter, config);
  return level;
}

struct Wrapped {
  const RecurrentCell* cell = nullptr;
  Json config = Json::object();
};

Wrapped wrapped_layer(Lifter& lifter, const Json& layer) {
  Wrapped wrapped;
  const bool is_layer = layer.is_object() && layer.contains("class_name") && layer["class_name"].is_string();
  const std::string name = is_layer ? layer["class_name"].get<std::string>() : "";
  for (const RecurrentCell* cell : {&lstm_cell(), &gru_cell(), &simple_rnn_cell()}) {
    if (cell->keras_class == name) wrapped.cell = cell;
  }
  if (wrapped.cell == nullptr) {
    lifter.refuse("it wraps a layer that is not LSTM, GRU or SimpleRNN", "use one of those");
  }
  wrapped.config = layer.value("config", Json::object());
  return wrapped;
}

// What must be the same in both directions.
std::string function_of(const Level& level) {
  return level.own.dump() + std::to_string(level.units) + level.returns + (level.has_bias ? "b" : "");
}

// Keras' inner layer, for Bidirectional.
Json keras_layer(const std::string& class_name, Json config) {
  return {{"module", "keras.layers"},
          {"class_name", class_name},
          {"config", std::move(config)},
          {"registered_name", nullptr}};
}

void lower_torch(Lowerer& lowerer, const RecurrentCell& cell) {
  const Json& settings = lowerer.layer().settings;
  const bool both = settings["direction"] == "both";
  if (settings["direction"] == "backward") {
    lowerer.refuse("go_backwards has no PyTorch module",
                   "reverse the sequence before the model, or wrap the layer in Bidirectional");
  }
  Json made = {
      {"input_size", lowerer.axes().back().size}, {"hidden_size", settings["units"]}, {"batch_first", true}};
  if (both) made["bidirectional"] = true;
  cell.write(lowerer, made);
  std::string call = "{module}({0})[0]";
  if (settings["returns"] == "last") {
    made["_returns"] = "last";
    // Not the last step of the sequence where there are two directions: the backward one ends at the first.
    call = both ? "torch.cat(tuple({module}({0})" + cell.torch_last_state + "), dim=-1)" : call + "[:, -1]";
  }
  lowerer.add(cell.torch_class, made, call);
}

void lower_keras(Lowerer& lowerer, const RecurrentCell& cell) {
  const Json& settings = lowerer.layer().settings;
  Json made = {{"units", settings["units"]}, {"return_sequences", settings["returns"] == "sequence"}};
  if (settings["direction"] == "backward") made["go_backwards"] = true;
  cell.write(lowerer, made);
  if (settings["direction"] != "both") {
    lowerer.add(cell.keras_class, made);
    return;
  }
  lowerer.add("Bidirectional", {{"layer", keras_layer(cell.keras_class, made)}, {"merge_mode", "concat"}});
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Axis& features = inputs[0].at(2);
  const std::int64_t directions = layer.settings["direction"] == "both" ? 2 : 1;
  const Axis out{features.parts.empty() ? features.name : "f",
                 directions * layer.settings["units"].get<std::int64_t>(),
                 {}};
  if (layer.settings["returns"] == "sequence") return {{inputs[0][0], inputs[0][1], out}};
  return {{inputs[0][0], out}};
}

}  // namespace

void lift_recurrent(Lifter& lifter, const RecurrentCell& cell) {
  if (lifter.is_torch()) {
    lift_torch(lifter, cell);
    return;
  }
  Level level = read_keras(lifter, cell, lifter.node().settings);
  level.parts = {{"", {}, "cell/vars/", {}}};
  const auto order = sequence_order(lifter);
  add_level(lifter, cell, level, order);
}

void lift_bidirectional(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::string merge = given.text("merge_mode", "concat");
  if (merge != "concat") {
    lifter.refuse("merge_mode \"" + merge + "\" is not carried", "use merge_mode=\"concat\"");
  }
  const Wrapped forward = wrapped_layer(lifter, given.raw("layer"));
  Level level = read_keras(lifter, *forward.cell, forward.config);
  if (level.direction != "forward") {
    lifter.refuse("its forward layer has go_backwards=True", "swap the two layers");
  }
  if (given.has("backward_layer")) {
    const Wrapped backward = wrapped_layer(lifter, given.raw("backward_layer"));
    const Level other = read_keras(lifter, *backward.cell, backward.config);
    if (backward.cell != forward.cell || other.direction != "backward" ||
        function_of(level) != function_of(other)) {
      lifter.refuse("its two directions are different layers", "use the same layer for both directions");
    }
  }
  level.direction = "both";
  level.parts = {{"", {}, "forward_layer/cell/vars/", "forward_layer/"},
                 {"reverse_", {}, "backward_layer/cell/vars/", "backward_layer/"}};
  const auto order = sequence_order(lifter);
  add_level(lifter, *forward.cell, level, order);
}

LayerKind recurrent_kind(const RecurrentCell& cell) {
  LayerKind kind;
  kind.name = cell.kind;
  kind.torch = {{cell.torch_class, Status::exact, ""}};
  kind.keras = {{cell.keras_class, Status::exact, ""}};
  kind.lift = [&cell](Lifter& lifter) { lift_recurrent(lifter, cell); };
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.lower = [&cell](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_torch(lowerer, cell) : lower_keras(lowerer, cell);
  };
  kind.compute = [&cell](const Evaluation& evaluation) { return compute_recurrent(evaluation, cell); };
  kind.fan_in = [](const Layer& layer) {
    double sum = 0;
    for (const auto& parameter : layer.parameters) {
      for (const auto& [axis, size] : parameter.sizes) {
        if (axis == "i" || axis == "v") sum += static_cast<double>(size);
      }
    }
    return sum;
  };
  kind.recognise = [&cell](Framework framework, const auto& tensors) {
    return recognise_recurrent(cell, framework, tensors);
  };
  return kind;
}

void require_activation(Lifter& lifter, const Json& config, const std::string& setting,
                        const std::string& function) {
  if (!config.contains(setting) || config[setting] == function) return;
  lifter.refuse(
      "its " + setting + " is " + config[setting].dump().substr(0, 60) + ", PyTorch's is " + function,
      "train the model with " + setting + "=\"" + function + "\"");
}

Parameter* parameter_named(Layer& layer, const std::string& name) {
  const auto found = std::ranges::find(layer.parameters, name, &Parameter::name);
  return found == layer.parameters.end() ? nullptr : &*found;
}

bool relabel_gates(Layer& layer, const std::vector<std::string>& own, const std::vector<std::string>& other) {
  bool changed = false;
  for (auto& parameter : layer.parameters) {
    for (auto& term : parameter.terms) {
      for (auto& group : term.pattern.groups) {
        for (auto& axis : group) {
          if (axis.name != "g" || axis.labels.size() != own.size()) continue;
          // The block that stands where `own` has the gate k stands now for the gate other[k].
          for (auto& label : axis.labels) {
            label = other[static_cast<std::size_t>(std::ranges::find(own, label) - own.begin())];
          }
          changed = true;
        }
      }
    }
  }
  return changed;
}

}  // namespace tieout
