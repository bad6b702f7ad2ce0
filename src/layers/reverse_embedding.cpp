#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_call.h"
#include "layers/shared/reversible_embedding.h"
#include "tieout/error.h"

// The way out of Keras' ReversibleEmbedding.   x: n ... d   table: v d   ->   y: n ... v
//
//   y = x table^T, and with a soft_cap c: c tanh(y / c)
//
// Not "tied", it has a table of its own, reverse_table; its way in is the kind embedding. Both hold both
// tables, since one layer of the file has them.

namespace tieout::layers {

namespace {

bool is_reverse(Lifter& lifter) {
  if (lifter.is_torch()) return lifter.settings().flag("_reverse", false);
  KerasCall call = keras_call(lifter, {"inputs", "reverse"});
  const bool reverse = call.take_flag(lifter, "reverse");
  call.expect_only(lifter, {"inputs"});
  return reverse;
}

void check(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (given.flag("mask_zero", false)) {
    lifter.refuse("it masks the index 0 for the layers behind it (mask_zero=True)",
                  "set mask_zero=False where nothing behind it uses the mask");
  }
  if (given.has("reverse_dtype") || given.has("lora_rank") || given.has("quantization_config")) {
    lifter.refuse("it is quantised, has LoRA weights or a reverse_dtype",
                  "merge or dequantise it in Keras, leave reverse_dtype out, and save again");
  }
}

void lift(Lifter& lifter) {
  check(lifter);
  const auto& given = lifter.settings();
  const bool torch = lifter.is_torch();
  const bool reverse = is_reverse(lifter);
  const bool tied = given.flag(torch ? "tied" : "tie_weights", true);
  const std::int64_t rows = given.integer(torch ? "num_embeddings" : "input_dim");
  const std::int64_t width = given.integer(torch ? "embedding_dim" : "output_dim");
  const AxisSizes sizes{{"v", rows}, {"d", width}};
  if (reverse) lifter.expect_size(0, -1, width);
  Layer layer = lifter.layer(reverse ? "reverse_embedding" : "embedding");
  layer.settings = {{"rows", rows},
                    {"width", width},
                    {"tied", tied},
                    {"soft_cap", given.raw(torch ? "soft_cap" : "logit_soft_cap")}};
  layer.parameters.push_back(
      lifter.parameter("table", "v d", {lifter.term(torch ? "weight" : "embeddings", "v d")}, sizes));
  if (!tied) {
    const Term table =
        torch ? lifter.term("reverse_weight", "v d") : lifter.term("reverse_embeddings", "d v");
    layer.parameters.push_back(lifter.parameter("reverse_table", "v d", {table}, sizes));
  }
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  out.back() = {out.back().parts.empty() ? out.back().name : "f", layer.settings["rows"], {}};
  return {out};
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& table = e.parameter(e.flag("tied") ? "table" : "reverse_table");
  const bool capped = !e.layer.settings["soft_cap"].is_null();
  const double cap = capped ? e.number("soft_cap") : 1;
  const auto rows = static_cast<std::size_t>(table.size(0));
  const auto width = static_cast<std::size_t>(table.size(1));
  Shape shape = x.shape;
  shape.back() = table.size(0);
  Array y(shape);
  for (std::size_t i = 0; i < y.count(); ++i) {
    const double* from = x.data.data() + i / rows * width;
    const double* row = table.data.data() + i % rows * width;
    double sum = 0;
    for (std::size_t d = 0; d < width; ++d) sum += from[d] * row[d];
    y.data[i] = capped ? cap * std::tanh(sum / cap) : sum;
  }
  return {y};
}

std::vector<Case> cases() {
  const std::string name = "ReversibleEmbedding";
  const Json sizes = {{"input_dim", 7}, {"output_dim", 3}};
  const auto with = [&](const Json& more) {
    Json settings = sizes;
    settings.update(more);
    return settings;
  };
  const Json reverse = {{"call", {{"reverse", true}}}};
  std::vector<Case> all = {keras_case("in", name, sizes, {2, 5}),
                           keras_case("in, two tables", name, with({{"tie_weights", false}}), {2, 5})};
  for (auto& test : all) test.inputs = "indices:7";
  all.push_back(keras_case("out", name, with(reverse), {2, 5, 3}));
  all.push_back(keras_case("out, soft cap", name,
                           with({{"logit_soft_cap", 2.0}, {"call", {{"reverse", true}}}}), {2, 5, 3}));
  all.push_back(keras_case("out, two tables", name,
                           with({{"tie_weights", false}, {"call", {{"reverse", true}}}}), {2, 5, 3}));
  return all;
}

}  // namespace

LayerKind reverse_embedding() {
  LayerKind kind;
  kind.name = "reverse_embedding";
  kind.torch = exact({own_reversible});
  kind.keras = exact({"ReversibleEmbedding"});
  kind.summary = "y (n ... v) = x (n ... d) times the transpose of an embedding's table (v d).";
  kind.sources = {"https://keras.io/api/layers/core_layers/reversible_embedding/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = [](Lowerer& lowerer) { write_reversible(lowerer, true); };
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) { return layer.settings["width"].get<double>(); };
  kind.mistakes = {
      wrong_setting("soft_cap", "the logits are not capped (logit_soft_cap)", "soft_cap", nullptr, nullptr)};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
