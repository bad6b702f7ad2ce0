#include "layers/layer_kind.h"

// Takes the steps of a sequence out of the batch again.   y: (n t) rest..., x: n t ...   ->   n t rest...
//
// What stands behind the layer that Keras' TimeDistributed wraps; x is the sequence that merge_time took, and
// says how many steps there are.

namespace tieout::layers {

LayerKind split_time() {
  LayerKind kind;
  kind.name = "split_time";
  kind.torch = {{"torch.split_time", Status::exact, ""}};
  kind.summary = "Takes the steps of x (n t ...) out of the batch of y ((n t) ...) again: n t ...";
  kind.sources = {"keras/src/layers/rnn/time_distributed.py"};
  kind.lift = [](Lifter& lifter) {
    Layer layer = lifter.layer("split_time");
    // Where n and t lie in the sequence: the writer said so.
    layer.settings = {{"time", lifter.settings().integer("_time", 1)}};
    lifter.add(std::move(layer));
  };
  kind.infer = [](const Layer& layer, const std::vector<Axes>& inputs) {
    Axes split = inputs[0];
    split.insert(split.begin() + 1, inputs.at(1).at(layer.settings["time"].get<std::size_t>()));
    split[0] = inputs[1].at(0);
    return std::vector<Axes>{split};
  };
  kind.lower = [](Lowerer& lowerer) {
    if (lowerer.to_keras()) {
      lowerer.refuse("steps merged into the batch have no Keras layer of their own",
                     "carry the weights into a Keras model with TimeDistributed (--like)");
    }
    const int time = lowerer.target_axis(1, static_cast<int>(lowerer.layer().settings["time"].get<int>()));
    lowerer.add("torch.split_time", {{"_time", time}},
                "{0}.unflatten(0, (-1, {1}.shape[" + std::to_string(time) + "]))", "split");
  };
  kind.absorbs_flatten = true;
  kind.compute = [](const Evaluation& e) {
    Array y = *e.inputs[0];
    const std::int64_t steps = e.inputs[1]->size(e.layer.settings["time"].get<std::size_t>());
    y.shape[0] = steps == 0 ? 0 : y.shape[0] / steps;
    y.shape.insert(y.shape.begin() + 1, steps);
    return std::vector<Array>{y};
  };
  return kind;
}

}  // namespace tieout::layers
