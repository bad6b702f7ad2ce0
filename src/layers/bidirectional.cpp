#include <utility>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_cases.h"

// Keras' wrapper that runs a recurrent layer forwards and backwards: read as the lstm, gru or simple_rnn it
// wraps, with the direction "both". PyTorch's modules have it as a setting. Around two layers of different
// kinds or settings it is read as the two, a flip and what joins them.

namespace tieout::layers {

LayerKind bidirectional() {
  LayerKind kind;
  kind.name = "bidirectional";
  kind.keras = {{"Bidirectional", Status::exact, ""}};
  kind.summary =
      "Runs a recurrent layer along t of x (n t f) both ways: y (n t (2 u)), or each way's last step (n (2 "
      "u)); or the two added, multiplied, averaged or apart.";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/bidirectional/"};
  kind.lift = lift_bidirectional;
  for (const RecurrentCell* cell : recurrent_cells()) {
    for (Case& test : bidirectional_cases(*cell)) kind.cases.push_back(std::move(test));
  }
  for (Case& test : cases_of_two_layers()) kind.cases.push_back(std::move(test));
  return kind;
}

}  // namespace tieout::layers
