#include "layers/layer_kind.h"
#include "layers/shared/outputs.h"

// The mean over the steps that a mask shows.   x: n t f   mask: n t   ->   y: n f, or n 1 f with keepdims
//
// What Keras' GlobalAveragePooling1D computes of a sequence with a mask. Where the mask shows no step the
// mean is 0 / 0, in both frameworks. Settings: keepdims; all_steps: the sum is divided by all t instead.

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("masked_mean");
  const auto& given = lifter.settings();
  layer.settings = {{"keepdims", given.flag("_keepdims", false)},
                    {"all_steps", given.flag("_all_steps", false)}};
  lifter.roles(0, {"n", "t", "f"});
  lifter.roles(1, {"n", "t"});
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  if (layer.settings["keepdims"].get<bool>()) {
    out.at(1).size = 1;
  } else {
    out.erase(out.begin() + 1);
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  const bool keepdims = settings["keepdims"].get<bool>();
  const bool all_steps = settings["all_steps"].get<bool>();
  if (lowerer.to_torch()) {
    const std::string along = keepdims ? "(1, keepdim=True)" : "(1)";
    const std::string shown = "{1}.bool().unsqueeze(-1)";
    const std::string masked = "torch.where(" + shown + ", {0}, 0.0)";
    lowerer.add(
        "torch.masked_mean", {{"_keepdims", keepdims}, {"_all_steps", all_steps}},
        all_steps ? masked + ".mean" + along : masked + ".sum" + along + " / " + shown + ".sum" + along);
    return;
  }
  if (all_steps) {
    lowerer.refuse("Keras divides a masked sum by the steps that the mask shows",
                   "divide by them, or multiply with the mask and take the mean");
  }
  FrameworkNode node;
  node.class_name = "GlobalAveragePooling1D";
  node.settings = {{"keepdims", keepdims}};
  node.inputs = {{lowerer.inputs().at(0), {}}, {lowerer.inputs().at(1), "mask"}};
  lowerer.add_node(std::move(node));
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& mask = *e.inputs[1];
  const std::int64_t steps = x.size(1);
  const std::int64_t features = x.size(2);
  Array y(e.flag("keepdims") ? Shape{x.size(0), 1, features} : Shape{x.size(0), features});
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    double* into = y.data.data() + n * features;
    double count = e.flag("all_steps") ? static_cast<double>(steps) : 0;
    for (std::int64_t t = 0; t < steps; ++t) {
      const std::int64_t step = n * steps + t;
      if (mask.data[static_cast<std::size_t>(step)] == 0) continue;
      const double* from = x.data.data() + step * features;
      for (std::int64_t f = 0; f < features; ++f) into[f] += from[f];
      if (!e.flag("all_steps")) ++count;
    }
    for (std::int64_t f = 0; f < features; ++f) into[f] /= count;
  }
  return one_output(std::move(y));
}

bool count_all_steps(Layer& layer, Framework, const std::vector<Axes>&) {
  layer.settings["all_steps"] = !layer.settings["all_steps"].get<bool>();
  return true;
}

std::vector<Case> cases() {
  const auto make = [](const std::string& name, Json settings, const Shape& shape) {
    settings["call"] = {{"arguments", {"inputs", "mask"}}};
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = "GlobalAveragePooling1D",
                .settings = settings,
                .input_shapes = {shape, {3, 7}},
                .inputs = "normal,boolean"};
  };
  return {make("masked", Json::object(), {3, 7, 4}),
          make("masked, keepdims", {{"keepdims", true}}, {3, 7, 4}),
          make("masked, channels_first", {{"data_format", "channels_first"}, {"keepdims", true}}, {3, 4, 7})};
}

}  // namespace

LayerKind masked_mean() {
  LayerKind kind;
  kind.name = "masked_mean";
  kind.torch = {{"torch.masked_mean", Status::exact, ""}};
  kind.summary = "The mean over the steps of x (n t f) that a mask (n t) shows: y (n f).";
  kind.sources = {"https://keras.io/api/layers/pooling_layers/global_average_pooling1d/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.fan_in = [](const Layer&) { return 1000.0; };
  kind.mistakes = {{"padding_counted", "the masked steps, as 0, are counted in the mean", count_all_steps}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
