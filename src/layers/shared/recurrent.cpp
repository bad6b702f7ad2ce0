#include "layers/shared/recurrent.h"

#include <algorithm>

#include "layers/shared/recurrent_functions.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// No network is as wide or as deep; keeps products of sizes in an int64.
constexpr std::int64_t most_units = 1 << 24;
constexpr std::int64_t most_levels = 1024;

bool is_own(const Lifter& lifter) {
  return lifter.node().class_name.starts_with("tieout.");
}

// PyTorch's LSTMCell and its like: one step, which is a sequence of one.
bool is_cell(const Lifter& lifter) {
  return lifter.node().class_name.ends_with("Cell");
}

void add_time_axis(Lifter& lifter) {
  if (lifter.input_count() > 1)
    lifter.refuse("it is called with a state", "use the module that runs along a sequence");
  if (lifter.weights_only()) return;
  lifter.roles(0, {"n", "f"});
  Layer step = lifter.layer("expand_dims");
  step.settings = {{"places", {1}}};
  lifter.add(std::move(step));
}

// What the node gets beside x: places in its inputs.
struct FurtherInputs {
  std::vector<std::size_t> masks;
  std::vector<std::size_t> states;
};

FurtherInputs further_inputs(const Lifter& lifter) {
  FurtherInputs further;
  for (std::size_t k = 1; !lifter.weights_only() && k < lifter.input_count(); ++k) {
    const bool is_mask = lifter.node().inputs.at(k).keyword == "mask";
    (is_mask ? further.masks : further.states).push_back(k);
  }
  return further;
}

void add_level(Lifter& lifter, const RecurrentLevel& level, const std::vector<int>& order,
               const std::vector<int>& further) {
  Layer layer = lifter.layer(level.cell->kind);
  layer.settings = level.settings;
  layer.inputs.resize(std::min<std::size_t>(layer.inputs.size(), 1));
  layer.inputs.insert(layer.inputs.end(), further.begin(), further.end());
  if (level.input) layer.inputs = {*level.input};
  if (!lifter.weights_only()) layer.orders = {order};
  for (RecurrentPart part : level.parts) {
    part.units = level.settings["units"].get<std::int64_t>();
    part.has_bias = level.has_bias;
    part.features = level.input ? unknown : lifter.size(0, -1);
    level.cell->add_parameters(lifter, layer, part);
  }
  lifter.add(std::move(layer));
}

// Settings that only the nodes that tieout writes have: said by the call, not by the constructor.
void read_call(const SettingsReader& given, Json& settings) {
  settings["returns"] = given.text("_returns", "sequence");
  settings["merge"] = given.text("_merge", "concat");
  settings["direction"] = given.flag("bidirectional", false) ? "both" : given.text("_direction", "forward");
  settings["states"] = given.flag("_states", false);
}

void lift_torch(Lifter& lifter, const RecurrentCell& cell) {
  const auto& given = lifter.settings();
  if (given.integer("proj_size", 0) != 0) {
    lifter.refuse("proj_size projects its state, which no Keras layer does",
                  "train the model with proj_size=0");
  }
  const bool cell_only = is_cell(lifter);
  if (cell_only) add_time_axis(lifter);
  const std::int64_t count = given.integer("num_layers", 1);
  if (count <= 0 || count > most_levels) throw malformed("num_layers must be positive");
  RecurrentLevel level;
  level.cell = &cell;
  level.has_bias = given.flag("bias", true);
  level.settings = {{"units", checked_units(given.integer("hidden_size"))}};
  read_call(given, level.settings);
  level.settings["zero_masked"] = given.flag("zero_masked", false);
  const std::string function = is_own(lifter) ? given.text("activation", "tanh") : "tanh";
  level.settings["activation"] = recurrent_function_of_torch(function).name;
  if (cell.recurrent_activation) {
    const std::string recurrent = is_own(lifter) ? given.text("recurrent_activation", "sigmoid") : "sigmoid";
    level.settings["recurrent_activation"] = recurrent_function_of_torch(recurrent).name;
  }
  level.settings.update(cell.read(lifter, lifter.node().settings));
  std::vector<RecurrentLevel> levels(static_cast<std::size_t>(count), level);
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const std::string suffix = cell_only ? "" : "_l" + std::to_string(k);
    levels[k].parts = {{"", suffix, {}, {}}};
    if (level.settings["direction"] == "both")
      levels[k].parts.push_back({"reverse_", suffix + "_reverse", {}, {}});
    // Between levels stands the whole sequence.
    if (k + 1 < levels.size()) levels[k].settings["returns"] = "sequence";
  }
  if (cell_only) levels[0].settings["returns"] = "last";
  const bool time_first = !is_own(lifter) && !cell_only && !given.flag("batch_first", false);
  add_recurrent_levels(lifter, levels, time_first ? std::vector<int>{1, 0, 2} : std::vector<int>{0, 1, 2});
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Json& settings = layer.settings;
  const Axis& n = inputs[0].at(0);
  const Axis& features = inputs[0].at(2);
  const Axis units{features.parts.empty() ? features.name : "f", settings["units"].get<std::int64_t>(), {}};
  const bool both = settings["direction"] == "both";
  Axis width = units;
  if (both && settings["merge"] == "concat") width.size *= 2;
  std::vector<Axes> outputs(both && settings["merge"] == "none" ? 2 : 1, Axes{n, width});
  if (settings["returns"] == "sequence") {
    for (Axes& output : outputs) output.insert(output.begin() + 1, inputs[0].at(1));
  }
  if (settings["states"] == true) {
    const std::size_t states = layer.kind == lstm_cell().kind ? 2 : 1;
    outputs.insert(outputs.end(), both ? 2 * states : states, Axes{n, units});
  }
  return outputs;
}

double fan_in(const Layer& layer) {
  double sum = 0;
  for (const auto& parameter : layer.parameters) {
    for (const auto& [axis, size] : parameter.sizes) {
      if (axis == "i" || axis == "v") sum += static_cast<double>(size);
    }
  }
  return sum;
}

}  // namespace

std::int64_t checked_units(std::int64_t units) {
  if (units <= 0 || units > most_units) throw malformed("the number of units must be positive");
  return units;
}

std::vector<const RecurrentCell*> recurrent_cells() {
  return {&lstm_cell(), &gru_cell(), &simple_rnn_cell()};
}

void add_recurrent_levels(Lifter& lifter, const std::vector<RecurrentLevel>& levels,
                          const std::vector<int>& order) {
  const FurtherInputs further = further_inputs(lifter);
  const RecurrentLevel& first = levels.front();
  const std::size_t directions = first.settings["direction"] == "both" ? 2 : 1;
  const bool one = levels.size() == 1;
  if (further.masks.size() > 1) lifter.refuse("it has more than one mask", "give it one mask");
  if (!further.states.empty() && (!one || further.states.size() != directions * first.cell->states)) {
    lifter.refuse(
        "it is called with initial states of several levels, or with another number of them than it has",
        "call it with one initial state for each of its own, or with none");
  }
  if (!one && levels.back().settings["states"] == true) {
    lifter.refuse("return_state gives the states of several levels",
                  "build the model of single layers instead of stacked cells");
  }
  std::vector<int> mask;
  std::vector<int> states;
  if (!lifter.weights_only()) {
    if (lifter.is_torch() && lifter.input().known && lifter.input().axes.size() == 2) {
      lifter.refuse("its input has no batch axis", "give the model a batch of one sequence");
    }
    if (!first.input) lifter.roles(0, {"n", "t", "f"}, order);
    const std::vector<int> inputs = lifter.layer(first.cell->kind).inputs;
    for (const std::size_t k : further.masks) {
      lifter.roles(k, {"n", "t"});
      mask.push_back(inputs[k]);
    }
    for (const std::size_t k : further.states) {
      lifter.roles(k, {"n", "f"});
      states.push_back(inputs[k]);
    }
  }
  for (RecurrentLevel level : levels) {
    level.settings["mask"] = !mask.empty();
    level.settings["initial"] = !states.empty();
    std::vector<int> values = mask;
    values.insert(values.end(), states.begin(), states.end());
    add_level(lifter, level, order, values);
  }
}

void lift_recurrent(Lifter& lifter, const RecurrentCell& cell) {
  lifter.is_torch() ? lift_torch(lifter, cell) : lift_keras_recurrent(lifter, cell);
}

LayerKind recurrent_kind(const RecurrentCell& cell) {
  LayerKind kind;
  kind.name = cell.kind;
  kind.torch = {
      {cell.torch_class, Status::exact, ""},
      {cell.torch_class + "Cell", Status::composed, "a Reshape to a sequence of one step, and the layer"},
      {cell.own_class(), Status::exact, ""}};
  kind.keras = {{cell.keras_class, Status::exact, ""}};
  kind.lift = [&cell](Lifter& lifter) { lift_recurrent(lifter, cell); };
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.lower = [&cell](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_recurrent_to_torch(lowerer, cell) : lower_recurrent_to_keras(lowerer, cell);
  };
  kind.compute = [&cell](const Evaluation& evaluation) { return compute_recurrent(evaluation, cell); };
  kind.fan_in = fan_in;
  kind.recognise = [&cell](Framework framework, const auto& tensors) {
    return recognise_recurrent(cell, framework, tensors);
  };
  return kind;
}

}  // namespace tieout
