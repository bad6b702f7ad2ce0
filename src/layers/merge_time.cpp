#include <utility>

#include "layers/layer_kind.h"

// Makes each step of a sequence one more element of the batch.   x: n t rest...   ->   y: (n t) rest...
//
// What stands before the layer that Keras' TimeDistributed wraps. The axis of y is the batch again, named n.
// Setting "time": where t lies in x; the rest keeps its order.

namespace tieout::layers {

LayerKind merge_time() {
  LayerKind kind;
  kind.name = "merge_time";
  kind.torch = {{"torch.merge_time", Status::exact, ""}};
  kind.summary = "Makes each step of x (n t ...) one more element of the batch: y ((n t) ...).";
  kind.sources = {"keras/src/layers/rnn/time_distributed.py"};
  kind.lift = [](Lifter& lifter) {
    Layer layer = lifter.layer("merge_time");
    layer.settings = {{"time", lifter.settings().integer("_time", 1)}};
    lifter.add(std::move(layer));
  };
  kind.infer = [](const Layer& layer, const std::vector<Axes>& inputs) {
    Axes merged = inputs[0];
    merged.erase(merged.begin() + layer.settings["time"].get<std::ptrdiff_t>());
    merged[0].size = unknown;
    return std::vector<Axes>{merged};
  };
  kind.lower = [](Lowerer& lowerer) {
    if (lowerer.to_keras()) {
      lowerer.refuse("steps merged into the batch have no Keras layer of their own",
                     "carry the weights into a Keras model with TimeDistributed (--like)");
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
