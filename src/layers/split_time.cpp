#include "layers/layer_kind.h"
#include "layers/shared/time_steps.h"

// Takes the steps of a sequence out of the batch again.   y: (n t) rest..., x: n t ...   ->   n t rest...
//
// What stands behind the layers that Keras' TimeDistributed wraps; x is the sequence that merge_time took,
// and says how many steps there are. Without x the setting "steps" says it. Setting "time": where t lies in
// x.

namespace tieout::layers {

namespace {

void lower_torch(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  if (lowerer.inputs().size() == 1) {
    const std::string steps = settings["steps"].dump();
    lowerer.add("torch.split_time", {{"_steps", settings["steps"]}}, "{0}.unflatten(0, (-1, " + steps + "))",
                "split");
    return;
  }
  const int time = lowerer.target_axis(1, settings["time"].get<int>());
  lowerer.add("torch.split_time", {{"_time", time}},
              "{0}.unflatten(0, (-1, {1}.shape[" + std::to_string(time) + "]))", "split");
}

void lift(Lifter& lifter) {
  // Where n and t lie in the sequence, or how many steps there are: the writer said so.
  Layer layer = lifter.layer("split_time");
  layer.settings = {{"time", lifter.settings().integer("_time", 1)}};
  if (lifter.input_count() == 1) layer.settings["steps"] = lifter.settings().integer("_steps");
  lifter.add(std::move(layer));
}

}  // namespace

LayerKind split_time() {
  LayerKind kind;
  kind.name = "split_time";
  kind.torch = {{"torch.split_time", Status::exact, ""}};
  kind.summary = "Takes the steps of x (n t ...) out of the batch of y ((n t) ...) again: n t ...";
  kind.sources = {"keras/src/layers/rnn/time_distributed.py"};
  kind.lift = lift;
  kind.infer = [](const Layer& layer, const std::vector<Axes>& inputs) {
    return std::vector<Axes>{split_steps(layer, inputs)};
  };
  kind.lower = [](Lowerer& lowerer) {
    lowerer.to_torch() ? lower_torch(lowerer) : write_split_as_reshape(lowerer);
  };
  kind.absorbs_flatten = true;
  kind.compute = [](const Evaluation& e) {
    Array y = *e.inputs[0];
    const std::int64_t steps = e.inputs.size() == 1
                                   ? e.integer("steps")
                                   : e.inputs[1]->size(e.layer.settings["time"].get<std::size_t>());
    y.shape[0] = steps == 0 ? 0 : y.shape[0] / steps;
    y.shape.insert(y.shape.begin() + 1, steps);
    return std::vector<Array>{y};
  };
  return kind;
}

}  // namespace tieout::layers
