#include "layers/shared/recurrent.h"

// Keras' RNN, which runs a cell or a stack of cells along a sequence: read as the lstm, gru or simple_rnn
// layers of those cells, one behind the other. A cell alone is a single step, which has no time axis.

namespace tieout::layers {

namespace {

Json cell(const std::string& class_name, std::int64_t units, const Json& more = Json::object()) {
  Json config = {{"units", units}};
  config.update(more);
  return {{"module", "keras.layers"},
          {"class_name", class_name},
          {"config", config},
          {"registered_name", nullptr}};
}

Json stacked(const Json& cells) {
  return {{"module", "keras.layers"},
          {"class_name", "StackedRNNCells"},
          {"config", {{"cells", cells}}},
          {"registered_name", nullptr}};
}

Case rnn_case(const std::string& name, Json settings) {
  return {.name = name,
          .framework = Framework::keras,
          .class_name = "RNN",
          .settings = std::move(settings),
          .input_shapes = {{2, 4, 3}}};
}

}  // namespace

LayerKind rnn() {
  LayerKind kind;
  kind.name = "rnn";
  kind.keras = {{"RNN", Status::exact, ""}};
  const std::string step = "a cell alone is a single step of a recurrent layer: put it into keras.layers.RNN";
  for (const char* name : {"LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"})
    kind.keras.push_back({name, Status::refused, step});
  kind.torch = {{"RNNBase", Status::refused, "the common base of LSTM, GRU and RNN, which computes nothing"},
                {"RNNCellBase", Status::refused, "the common base of the cells, which computes nothing"}};
  kind.summary =
      "Runs cells along t of x (n t f), the layers that they are the steps of one behind the other.";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/rnn/"};
  kind.lift = lift_cells;
  const Json stack = {cell("LSTMCell", 5), cell("GRUCell", 4), cell("LSTMCell", 3), cell("SimpleRNNCell", 2)};
  kind.cases = {
      rnn_case("LSTM", {{"cell", cell("LSTMCell", 5)}}),
      rnn_case("LSTM, sequence, states",
               {{"cell", cell("LSTMCell", 5)}, {"return_sequences", true}, {"return_state", true}}),
      rnn_case("GRU, backwards, reset before",
               {{"cell", cell("GRUCell", 5, {{"reset_after", false}})}, {"go_backwards", true}}),
      rnn_case("SimpleRNN, relu",
               {{"cell", cell("SimpleRNNCell", 5, {{"activation", "relu"}})}, {"return_sequences", true}}),
      rnn_case("four cells", {{"cell", stacked(stack)}, {"return_sequences", true}}),
      rnn_case("four cells, backwards, last step", {{"cell", stacked(stack)}, {"go_backwards", true}}),
  };
  return kind;
}

}  // namespace tieout::layers
