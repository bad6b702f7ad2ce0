#include "layers/layer_kind.h"
#include "layers/shared/time_steps.h"

// Makes each step of a sequence one more element of the batch.   x: n t rest...   ->   y: (n t) rest...
//
// What stands before the layers that Keras' TimeDistributed wraps. The axis of y is a batch again. Setting
// "time": where t lies in x; the rest keeps its order.

namespace tieout::layers {

LayerKind merge_time() {
  LayerKind kind;
  kind.name = "merge_time";
  kind.torch = {{"torch.merge_time", Status::exact, ""}};
  kind.summary = "Makes each step of x (n t ...) one more element of the batch: y ((n t) ...).";
  kind.sources = {"keras/src/layers/rnn/time_distributed.py"};
  kind.lift = [](Lifter& lifter) {
    add_merge_time(lifter, static_cast<int>(lifter.settings().integer("_time", 1)));
  };
  kind.infer = [](const Layer& layer, const std::vector<Axes>& inputs) {
    return std::vector<Axes>{merged_steps(layer, inputs[0])};
  };
  kind.lower = [](Lowerer& lowerer) {
    if (lowerer.to_keras()) {
      write_merge_as_reshape(lowerer);
      return;
    }
    const int time = lowerer.target_axis(0, lowerer.layer().settings["time"].get<int>());
    const std::string moved = time == 1 ? "" : ".movedim(" + std::to_string(time) + ", 1)";
    lowerer.add("torch.merge_time", {{"_time", time}}, "{0}" + moved + ".flatten(0, 1)", "merge");
  };
  kind.absorbs_flatten = true;
  kind.compute = [](const Evaluation& e) {
    const auto time = e.layer.settings["time"].get<int>();
    std::vector<int> order{0, time};
    for (int k = 1; k < static_cast<int>(e.inputs[0]->rank()); ++k) {
      if (k != time) order.push_back(k);
    }
    Array y = permuted(*e.inputs[0], order);
    y.shape[0] *= y.shape[1];
    y.shape.erase(y.shape.begin() + 1);
    return std::vector<Array>{y};
  };
  return kind;
}

}  // namespace tieout::layers
