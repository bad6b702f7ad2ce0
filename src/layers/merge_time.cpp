#include "layers/layer_kind.h"

// Makes each step of a sequence one more element of the batch.   x: n t rest...   ->   y: (n t) rest...
//
// What stands before the layer that Keras' TimeDistributed wraps. The axis of y is the batch again, named n.

namespace tieout::layers {

LayerKind merge_time() {
  LayerKind kind;
  kind.name = "merge_time";
  kind.torch = {{"torch.merge_time", Status::exact, ""}};
  kind.summary = "Makes each step of x (n t ...) one more element of the batch: y ((n t) ...).";
  kind.sources = {"keras/src/layers/rnn/time_distributed.py"};
  kind.lift = [](Lifter& lifter) { lifter.add(lifter.layer("merge_time")); };
  kind.infer = [](const Layer&, const std::vector<Axes>& inputs) {
    Axes merged = inputs[0];
    merged.erase(merged.begin() + 1);
    merged[0].size = unknown;
    return std::vector<Axes>{merged};
  };
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = [](Lowerer& lowerer) {
    if (lowerer.to_keras()) {
      lowerer.refuse("steps merged into the batch have no Keras layer of their own",
                     "carry the weights into a Keras model with TimeDistributed (--like)");
    }
    lowerer.add("torch.merge_time", Json::object(), "{0}.flatten(0, 1)", "merge");
  };
  kind.compute = [](const Evaluation& e) {
    Array y = *e.inputs[0];
    y.shape[0] *= y.shape[1];
    y.shape.erase(y.shape.begin() + 1);
    return std::vector<Array>{y};
  };
  return kind;
}

}  // namespace tieout::layers
