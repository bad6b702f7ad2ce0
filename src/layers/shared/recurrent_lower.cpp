#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_functions.h"

namespace tieout {

namespace {

struct Form {
  const Json& settings;
  std::size_t states_of_cell;

  [[nodiscard]] bool is(const char* setting) const { return settings[setting] == true; }
  [[nodiscard]] bool both() const { return settings["direction"] == "both"; }
  [[nodiscard]] bool last() const { return settings["returns"] == "last"; }
  [[nodiscard]] std::string merge() const { return settings["merge"].get<std::string>(); }
  [[nodiscard]] std::string units() const { return settings["units"].dump(); }
  [[nodiscard]] std::size_t states() const { return both() ? 2 * states_of_cell : states_of_cell; }
  // Where the initial states begin among the inputs.
  [[nodiscard]] std::size_t first_state() const { return is("mask") ? 2 : 1; }
};

// PyTorch's modules return (y, states): y (N, T, D * U); states h, or (h, c), each (D, N, U).
// What stands behind the call for state h (0) or c (1) of one direction.
std::string state_of(const Form& form, std::size_t state, std::size_t direction) {
  const std::string which = form.states_of_cell == 2 ? "[1][" + std::to_string(state) + "]" : "[1]";
  return which + "[" + std::to_string(direction) + "]";
}

std::string merged(const std::string& merge, const std::string& axis) {
  return (merge == "mul" ? ".prod(" : merge == "sum" ? ".sum(" : ".mean(") + axis + ")";
}

// What stands behind the call for y, for each output.
std::vector<std::string> sequences(const Form& form) {
  if (!form.both() || form.merge() == "concat") return {"[0]"};
  if (form.merge() == "none") return {"[0][..., :" + form.units() + "]", "[0][..., " + form.units() + ":]"};
  return {"[0].unflatten(-1, (2, " + form.units() + "))" + merged(form.merge(), "-2")};
}

// Where there are two directions, not the last step of the sequence: the backward one ends at the first.
std::vector<std::string> last_steps(const Form& form) {
  if (!form.both()) return {"[0][:, -1]"};
  if (form.merge() == "none") return {state_of(form, 0, 0), state_of(form, 0, 1)};
  const std::string h = form.states_of_cell == 2 ? "[1][0]" : "[1]";
  if (form.merge() == "concat") return {h + ".transpose(0, 1).flatten(1)"};
  return {h + merged(form.merge(), "0")};
}

std::string tuple_of(const std::string& first, const std::string& second) {
  return "(" + first + ", " + second + ")";
}

std::string input(std::size_t k) {
  return "{" + std::to_string(k) + "}";
}

// The second argument of the module: h, or (h, c), each (D, N, U).
std::string initial_states(const Form& form) {
  std::string text;
  const std::size_t first = form.first_state();
  for (std::size_t s = 0; s < form.states_of_cell; ++s) {
    const std::string forward = input(first + s);
    const std::string one =
        form.both() ? "torch.stack(" + tuple_of(forward, input(first + form.states_of_cell + s)) + ")"
                    : forward + "[None]";
    text = s == 0 ? one : tuple_of(text, one);
  }
  return text;
}

std::string call(const Form& form) {
  const bool backward = form.settings["direction"] == "backward";
  const std::string turned = backward ? ".flip(1)" : "";
  std::string text = "{module}({0}" + turned;
  if (form.is("initial")) text += ", " + initial_states(form);
  if (form.is("mask")) text += ", mask={1}" + turned;
  return text + ")";
}

// The inputs with the words by which the layer is called with them, in either framework.
std::vector<NodeInput> named_inputs(const Lowerer& lowerer, const Form& form) {
  std::vector<NodeInput> inputs;
  for (std::size_t k = 0; k < lowerer.inputs().size(); ++k) {
    const bool is_state = k >= form.first_state();
    inputs.push_back({lowerer.inputs()[k], k == 0 ? "" : is_state ? "initial_state" : "mask"});
  }
  return inputs;
}

// How the inputs stand in Keras' call: as many as there are.
void write_keras_call(const Form& form, Json& made) {
  if (!form.is("mask") && !form.is("initial")) return;
  made["args"] = Json::array({Json{{"input", 0}}});
  made["kwargs"] = Json::object();
  if (form.is("mask")) made["kwargs"]["mask"] = Json{{"input", 1}};
  if (!form.is("initial")) return;
  Json states = Json::array();
  for (std::size_t k = 0; k < form.states(); ++k) states.push_back(Json{{"input", form.first_state() + k}});
  made["kwargs"]["initial_state"] = states;
}

void write_keras_functions(Lowerer& lowerer, const Json& settings, Json& made) {
  for (const char* setting : {"activation", "recurrent_activation"}) {
    if (!settings.contains(setting)) continue;
    if (settings[setting] == "keras2_hard_sigmoid") {
      lowerer.refuse(
          "its " + std::string(setting) + " is Keras 2's hard_sigmoid, which Keras 3 has no name for",
          "train the model with another function");
    }
    made[setting] = settings[setting];
  }
}

}  // namespace

void lower_recurrent_to_torch(Lowerer& lowerer, const RecurrentCell& cell) {
  const Form form{lowerer.layer().settings, cell.states};
  const bool own = form.is("mask") || !cell.is_plain(form.settings);
  if (form.is("mask") && form.is("initial") && form.both() && form.last()) {
    lowerer.refuse("both directions' last outputs with a mask and initial states have no place in PyTorch",
                   "build the model with return_sequences=True");
  }
  FrameworkNode node;
  node.class_name = own ? cell.own_class() : cell.torch_class;
  Json& made = node.settings;
  made = {{"input_size", lowerer.axes().back().size}, {"hidden_size", form.settings["units"]}};
  if (!own) made["batch_first"] = true;
  if (form.both()) made["bidirectional"] = true;
  cell.write(lowerer, made, own);
  if (own) {
    node.definition = recurrent_definition(cell);
    for (const char* setting : {"activation", "recurrent_activation"}) {
      if (!form.settings.contains(setting)) continue;
      made[setting] = recurrent_function(form.settings[setting].get<std::string>()).torch;
    }
    if (form.is("zero_masked") && form.is("mask")) made["zero_masked"] = true;
  }
  made["_returns"] = form.settings["returns"];
  if (form.both()) made["_merge"] = form.settings["merge"];
  if (form.settings["direction"] == "backward") made["_direction"] = "backward";
  node.call = call(form);
  std::vector<std::string> outputs = form.last() ? last_steps(form) : sequences(form);
  if (form.is("states")) {
    made["_states"] = true;
    for (std::size_t d = 0; d < (form.both() ? 2U : 1U); ++d) {
      for (std::size_t s = 0; s < cell.states; ++s) outputs.push_back(state_of(form, s, d));
    }
  }
  if (outputs.size() == 1) {
    node.call += outputs[0];
  } else {
    made["_outputs"] = outputs;
  }
  node.inputs = named_inputs(lowerer, form);
  lowerer.add_node(std::move(node));
}

void lower_recurrent_to_keras(Lowerer& lowerer, const RecurrentCell& cell) {
  const Form form{lowerer.layer().settings, cell.states};
  const bool sequence = !form.last();
  Json layer = {{"units", form.settings["units"]}, {"return_sequences", sequence}};
  if (form.settings["direction"] == "backward") layer["go_backwards"] = true;
  if (form.is("states")) layer["return_state"] = true;
  if (form.is("mask") && form.is("zero_masked")) layer["zero_output_for_mask"] = true;
  write_keras_functions(lowerer, form.settings, layer);
  cell.write(lowerer, layer, false);
  FrameworkNode node;
  node.class_name = cell.keras_class;
  node.settings = layer;
  if (form.both()) {
    if (form.is("mask") && form.is("zero_masked") != sequence) {
      lowerer.refuse("Keras' Bidirectional gives 0 where a step of a sequence is masked",
                     "set zero_masked as Keras has it");
    }
    node.class_name = "Bidirectional";
    node.settings = {{"layer",
                      {{"module", "keras.layers"},
                       {"class_name", cell.keras_class},
                       {"config", layer},
                       {"registered_name", nullptr}}},
                     {"merge_mode", form.merge() == "none" ? Json() : form.settings["merge"]}};
  }
  write_keras_call(form, node.settings);
  node.inputs = named_inputs(lowerer, form);
  lowerer.add_node(std::move(node));
}

}  // namespace tieout
