#include <algorithm>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_functions.h"
#include "tieout/error.h"

// Keras' recurrent layers: LSTM, GRU and SimpleRNN, alone, in Bidirectional, and as cells in RNN.

namespace tieout {

namespace {

const std::vector<int> batch_first{0, 1, 2};
const std::vector<int> time_first{1, 0, 2};

// Keras leaves the arguments of a call in the settings where some are constants.
void refuse_constants(Lifter& lifter) {
  const Json& kwargs = lifter.settings().raw("kwargs");
  for (const auto& [key, value] : kwargs.items()) {
    const bool is_tensor = key == "mask" || key == "initial_state";
    const bool constant = !is_tensor && !value.is_null() && !(key == "training" && value == false);
    if (constant)
      lifter.refuse("it is called with " + key + "=" + value.dump().substr(0, 40), "call it without");
  }
}

// The settings that a layer and Keras' RNN around a cell share.
void read_run(Lifter& lifter, const Json& config, Json& settings) {
  const SettingsReader given(config, lifter.node().name);
  if (given.flag("stateful", false)) {
    lifter.refuse("it is stateful: its output depends on the calls before",
                  "build the model with stateful=False");
  }
  settings["direction"] = given.flag("go_backwards", false) ? "backward" : "forward";
  settings["returns"] = given.flag("return_sequences", false) ? "sequence" : "last";
  settings["merge"] = "concat";
  settings["states"] = given.flag("return_state", false);
  settings["zero_masked"] = given.flag("zero_output_for_mask", false);
}

// The settings that a layer and its cell share. Keras 1 had other names, and a tensor for each gate.
void read_cell(Lifter& lifter, const Json& config, RecurrentLevel& level) {
  if (config.contains("inner_activation") || config.contains("output_dim")) {
    lifter.refuse("it was saved by Keras 1, which stored each gate apart",
                  "load it in Keras 2.0 to 2.15 and save it again");
  }
  const SettingsReader given(config, lifter.node().name);
  level.has_bias = given.flag("use_bias", true);
  level.settings["units"] = checked_units(given.integer("units"));
  level.settings["activation"] = read_recurrent_function(lifter, config, "activation", "tanh");
  if (level.cell->recurrent_activation) {
    level.settings["recurrent_activation"] =
        read_recurrent_function(lifter, config, "recurrent_activation", "sigmoid");
  }
  level.settings.update(level.cell->read(lifter, config));
}

RecurrentLevel read_layer(Lifter& lifter, const RecurrentCell& cell, const Json& config) {
  RecurrentLevel level;
  level.cell = &cell;
  read_cell(lifter, config, level);
  read_run(lifter, config, level.settings);
  return level;
}

const std::vector<int>& order_of(Lifter& lifter, const Json& config) {
  return SettingsReader(config, lifter.node().name).flag("time_major", false) ? time_first : batch_first;
}

std::string class_of(const Json& layer) {
  const bool named = layer.is_object() && layer.contains("class_name") && layer["class_name"].is_string();
  return named ? layer["class_name"].get<std::string>() : "";
}

Json config_of(const Json& layer) {
  return layer.is_object() ? layer.value("config", Json::object()) : Json::object();
}

const RecurrentCell& cell_of_class(Lifter& lifter, const std::string& class_name, const std::string& suffix) {
  for (const RecurrentCell* cell : recurrent_cells()) {
    if (cell->keras_class + suffix == class_name) return *cell;
  }
  lifter.refuse("it wraps " + (class_name.empty() ? "a layer" : "a " + class_name) + ", which is not LSTM" +
                    suffix + ", GRU" + suffix + " or SimpleRNN" + suffix,
                "use one of those");
}

RecurrentLevel read_wrapped(Lifter& lifter, const Json& layer) {
  return read_layer(lifter, cell_of_class(lifter, class_of(layer), ""), config_of(layer));
}

// What must be the same in both directions for one layer to be both.
std::string function_of(const RecurrentLevel& level) {
  Json settings = level.settings;
  settings.erase("direction");
  return level.cell->kind + settings.dump() + (level.has_bias ? "b" : "");
}

const RecurrentPart forward_part{"", {}, "forward_layer/cell/vars/", "forward_layer/"};
const RecurrentPart backward_part{"", {}, "backward_layer/cell/vars/", "backward_layer/"};

// How Bidirectional joins what its layers give: "concat", "sum", "mul", "ave", or "none" for two outputs.
std::string merge_of(const Lifter& lifter) {
  // null means two outputs; absent, the default.
  const auto& given = lifter.settings();
  const bool apart = lifter.node().settings.contains("merge_mode") && !given.has("merge_mode");
  return apart ? "none" : given.text("merge_mode", "concat");
}

void add_merge(Lifter& lifter, int ahead, int behind, bool sequence) {
  const std::string merge = merge_of(lifter);
  Layer joined = lifter.layer(merge == "concat" ? "concatenate"
                              : merge == "sum"  ? "add"
                              : merge == "mul"  ? "multiply"
                                                : "average");
  joined.inputs = {ahead, behind};
  joined.settings = merge == "concat" ? Json{{"axis", sequence ? 2 : 1}} : Json{{"align", "behind_batch"}};
  lifter.add(std::move(joined));
}

// Two layers, the second of which begins at the end; a sequence of its outputs is turned before they are
// joined.
void add_both_ways(Lifter& lifter, RecurrentLevel forward, RecurrentLevel backward,
                   const std::vector<int>& order) {
  const bool sequence = forward.settings["returns"] == "sequence";
  if (backward.settings["direction"] != "backward" ||
      forward.settings["returns"] != backward.settings["returns"])
    throw malformed("the backward layer of a Bidirectional must go backwards and return what the other does");
  if (lifter.weights_only() || lifter.input_count() > 1 || forward.settings["states"] == true ||
      merge_of(lifter) == "none") {
    lifter.refuse("its two directions are different layers, with a mask, states or two outputs",
                  "build the two layers apart, the second with go_backwards=True, and concatenate them");
  }
  backward.input = lifter.outputs().at(0);
  forward.parts = {forward_part};
  add_recurrent_levels(lifter, {forward}, order);
  const int ahead = lifter.outputs().at(0);
  backward.parts = {backward_part};
  add_recurrent_levels(lifter, {backward}, order);
  if (sequence) {
    Layer turned = lifter.layer("flip");
    turned.settings = {{"axes", {order[1]}}};
    lifter.add(std::move(turned));
  }
  add_merge(lifter, ahead, lifter.outputs().at(0), sequence);
}

// "lstm_cell", "lstm_cell_1": how Keras names the cells of a list, by class.
std::string path_of_cell(const std::string& class_name, int before) {
  std::string name = class_name == "LSTMCell"  ? "lstm_cell"
                     : class_name == "GRUCell" ? "gru_cell"
                                               : "simple_rnn_cell";
  return name + (before == 0 ? "" : "_" + std::to_string(before));
}

}  // namespace

void lift_keras_recurrent(Lifter& lifter, const RecurrentCell& cell) {
  refuse_constants(lifter);
  const Json& config = lifter.node().settings;
  RecurrentLevel level = read_layer(lifter, cell, config);
  level.parts = {{"", {}, "cell/vars/", {}}};
  add_recurrent_levels(lifter, {level}, order_of(lifter, config));
}

void lift_bidirectional(Lifter& lifter) {
  refuse_constants(lifter);
  const auto& given = lifter.settings();
  const Json& inner = given.raw("layer");
  RecurrentLevel level = read_wrapped(lifter, inner);
  if (level.settings["direction"] != "forward") {
    lifter.refuse("its forward layer has go_backwards=True", "swap the two layers");
  }
  if (given.has("backward_layer")) {
    const RecurrentLevel other = read_wrapped(lifter, given.raw("backward_layer"));
    if (other.settings["direction"] != "backward" || function_of(level) != function_of(other)) {
      add_both_ways(lifter, level, other, order_of(lifter, config_of(inner)));
      return;
    }
  }
  level.settings["direction"] = "both";
  level.settings["merge"] = merge_of(lifter);
  // Keras' Bidirectional sets it so, whatever the layer says.
  level.settings["zero_masked"] = level.settings["returns"] == "sequence";
  level.parts = {forward_part, backward_part};
  level.parts[1].prefix = "reverse_";
  add_recurrent_levels(lifter, {level}, order_of(lifter, config_of(inner)));
}

void lift_cells(Lifter& lifter) {
  refuse_constants(lifter);
  const Json& config = lifter.node().settings;
  const Json& cell = lifter.settings().raw("cell");
  std::vector<Json> cells{cell};
  const bool stacked = class_of(cell) == "StackedRNNCells" || cell.is_array();
  if (stacked) {
    const Json list = cell.is_array() ? cell : config_of(cell).value("cells", Json::array());
    cells.assign(list.begin(), list.end());
  }
  if (cells.empty()) lifter.refuse("it has no cells", "give it one");
  std::vector<RecurrentLevel> levels;
  std::map<std::string, int> seen;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const std::string class_name = class_of(cells[k]);
    RecurrentLevel level;
    level.cell = &cell_of_class(lifter, class_name, "Cell");
    read_cell(lifter, config_of(cells[k]), level);
    read_run(lifter, config, level.settings);
    // What the first level gives comes in the order of its steps already.
    if (k > 0) level.settings["direction"] = "forward";
    if (k + 1 < cells.size()) level.settings["returns"] = "sequence";
    const std::string inside = path_of_cell(class_name, seen[class_name]++);
    level.parts = {
        {"", {}, stacked ? "cell/cells/" + inside + "/vars/" : "cell/vars/", stacked ? inside + "/" : ""}};
    levels.push_back(std::move(level));
  }
  add_recurrent_levels(lifter, levels, order_of(lifter, config));
}

}  // namespace tieout
