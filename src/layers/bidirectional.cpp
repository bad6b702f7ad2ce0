#include "layers/shared/recurrent.h"

// Keras' wrapper that runs a recurrent layer forwards and backwards: read as the lstm, gru or simple_rnn it
// wraps, with the direction "both". PyTorch's modules have it as a setting.

namespace tieout::layers {

LayerKind bidirectional() {
  LayerKind kind;
  kind.name = "bidirectional";
  kind.keras = {{"Bidirectional", Status::exact, ""}};
  kind.summary =
      "Runs a recurrent layer along t of x (n t f) both ways: y (n t (2 u)), or each way's last step (n (2 "
      "u)).";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/bidirectional/"};
  kind.lift = lift_bidirectional;
  const auto wrapped = [](const std::string& class_name, Json config) {
    return Json{{"layer",
                 {{"module", "keras.layers"},
                  {"class_name", class_name},
                  {"config", std::move(config)},
                  {"registered_name", nullptr}}}};
  };
  const auto keras = Framework::keras;
  kind.cases = {
      {.name = "LSTM, sequence",
       .framework = keras,
       .class_name = "Bidirectional",
       .settings = wrapped("LSTM", {{"units", 5}, {"return_sequences", true}}),
       .input_shapes = {{2, 4, 3}}},
      {.name = "LSTM, last steps",
       .framework = keras,
       .class_name = "Bidirectional",
       .settings = wrapped("LSTM", {{"units", 5}}),
       .input_shapes = {{2, 4, 3}}},
      {.name = "GRU, last steps",
       .framework = keras,
       .class_name = "Bidirectional",
       .settings = wrapped("GRU", {{"units", 4}}),
       .input_shapes = {{3, 5, 2}}},
      {.name = "GRU, sequence, no bias",
       .framework = keras,
       .class_name = "Bidirectional",
       .settings = wrapped("GRU", {{"units", 5}, {"use_bias", false}, {"return_sequences", true}}),
       .input_shapes = {{2, 4, 3}}},
      {.name = "SimpleRNN, last steps",
       .framework = keras,
       .class_name = "Bidirectional",
       .settings = wrapped("SimpleRNN", {{"units", 5}}),
       .input_shapes = {{2, 4, 3}}},
  };
  return kind;
}

}  // namespace tieout::layers
