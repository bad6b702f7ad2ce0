#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/composition.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/reversible_embedding.h"
#include "tieout/error.h"

// Each index becomes its row of a table.   x: n t... (integers below v)   table: v d   ->   y: n t... d
//
// PyTorch's padding_idx does not matter in inference: its row is zero when made and gets no gradient, but it
// is read as it is stored. The way in of Keras' ReversibleEmbedding (reverse_embedding.cpp) is a layer of
// this kind that has that layer's settings too.

namespace tieout::layers {

namespace {

std::vector<std::string> names(std::size_t rank) {
  std::vector<std::string> all{"n"};
  for (std::size_t k = 1; k < rank; ++k) all.push_back(k == 1 ? "t" : "t" + std::to_string(k));
  return all;
}

// nn.EmbeddingBag with bags of one size: the mean, the sum, or the largest, of each bag's rows.
void add_bag(Lifter& lifter, const std::string& mode) {
  if (mode == "sum") {
    add_part(lifter, "reduce", {{"function", "sum"}, {"axes", Json::array({1})}, {"keepdims", false}}, "sum");
    return;
  }
  Layer layer = lifter.layer(mode == "max" ? "global_max_pool1d" : "global_avg_pool1d");
  layer.settings = {{"keepdims", false}};
  layer.orders = {{0, 2, 1}};
  lifter.add(std::move(layer));
}

// How the rows of a bag are joined; empty for a layer that joins none.
std::string bag_mode(Lifter& lifter) {
  if (lifter.node().class_name != "EmbeddingBag") return {};
  const auto& given = lifter.settings();
  if (lifter.input_count() != 1 || (lifter.input().known && lifter.input().axes.size() != 2)) {
    lifter.refuse("its bags are told by offsets or weighted", "call it with indices of batch and bag alone");
  }
  if (given.has("padding_idx")) {
    lifter.refuse("it leaves one index out of each bag (padding_idx)", "leave padding_idx out");
  }
  const std::string mode = given.text("mode", "mean");
  if (mode != "mean" && mode != "sum" && mode != "max") throw malformed("the mode " + mode + " is not known");
  return mode;
}

void lift(Lifter& lifter) {
  const auto& given = lifter.settings();
  const bool torch = lifter.is_torch();
  const std::string bag = bag_mode(lifter);
  if (torch && given.has("max_norm")) {
    lifter.refuse("it rescales its rows while it runs (max_norm)",
                  "normalise the stored rows once and leave max_norm out");
  }
  if (given.has("lora_rank") || given.has("quantization_config")) {
    lifter.refuse("it is quantised or has LoRA weights", "merge or dequantise it in Keras and save again");
  }
  const std::int64_t rows = given.integer(torch ? "num_embeddings" : "input_dim");
  const std::int64_t width = given.integer(torch ? "embedding_dim" : "output_dim");
  if (rows <= 0 || width <= 0) throw malformed("a table needs rows and columns");
  if (!lifter.weights_only() && lifter.input().known) lifter.roles(0, names(lifter.input().axes.size()));
  Layer layer = lifter.layer("embedding");
  layer.settings = {{"rows", rows}, {"width", width}};
  layer.parameters.push_back(lifter.parameter(
      "table", "v d", {lifter.term(torch ? "weight" : "embeddings", "v d")}, {{"v", rows}, {"d", width}}));
  lifter.add(std::move(layer));
  if (!bag.empty()) add_bag(lifter, bag);
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  std::string name = "f";
  while (std::ranges::find(out, name, &Axis::name) != out.end()) name += "e";
  out.push_back({name, layer.settings["width"].get<std::int64_t>(), {}});
  return {out};
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  if (settings.contains("tied")) {
    write_reversible(lowerer, false);
  } else if (lowerer.to_torch()) {
    lowerer.add("Embedding", {{"num_embeddings", settings["rows"]}, {"embedding_dim", settings["width"]}});
  } else {
    lowerer.add("Embedding", {{"input_dim", settings["rows"]}, {"output_dim", settings["width"]}});
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& table = e.parameter("table");
  const std::int64_t width = table.size(1);
  Shape shape = x.shape;
  shape.push_back(width);
  Array y(shape);
  for (std::size_t k = 0; k < x.count(); ++k) {
    const double index = x.data[k];
    if (!(index >= 0 && index < static_cast<double>(table.size(0)))) {
      throw usage_error("the index " + std::to_string(index) + " is not in an embedding of " +
                            std::to_string(table.size(0)) + " rows",
                        "give a probe (--probe) of indices that the model knows");
    }
    const double* row = table.data.data() + static_cast<std::int64_t>(index) * width;
    std::copy(row, row + width, y.data.begin() + static_cast<std::ptrdiff_t>(k) * width);
  }
  return {y};
}

// One matrix without a vector. Keras has to name it: a dense layer without bias looks the same.
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (tensors.size() != 1 || tensors[0].second.size() != 2) return std::nullopt;
  const Shape& shape = tensors[0].second;
  FrameworkNode node;
  node.class_name = "Embedding";
  if (framework == Framework::torch) {
    if (tensors[0].first != "weight") return std::nullopt;
    node.settings = {{"num_embeddings", shape[0]}, {"embedding_dim", shape[1]}};
    return node;
  }
  if (!tensors[0].first.ends_with("embeddings")) return std::nullopt;
  node.settings = {{"input_dim", shape[0]}, {"output_dim", shape[1]}};
  return node;
}

// As the kernel of a dense layer has to be.
bool transposed(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter& table = layer.parameters.at(0);
  if (table.sizes.at("v") != table.sizes.at("d") || table.sizes.at("v") == 1) return false;
  for (Term& term : table.terms) term.pattern = parse_pattern("d v");
  return true;
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      torch_case("sequence", "Embedding", {{"num_embeddings", 7}, {"embedding_dim", 3}}, {2, 5}),
      torch_case("padding_idx", "Embedding",
                 {{"num_embeddings", 7}, {"embedding_dim", 3}, {"padding_idx", 0}}, {2, 5}),
      torch_case("two axes", "Embedding", {{"num_embeddings", 7}, {"embedding_dim", 3}}, {2, 5, 4}),
      keras_case("sequence", "Embedding", {{"input_dim", 7}, {"output_dim", 3}}, {2, 5}),
      keras_case("two axes", "Embedding", {{"input_dim", 7}, {"output_dim", 3}}, {2, 5, 4}),
      keras_case("square", "Embedding", {{"input_dim", 7}, {"output_dim", 7}}, {2, 5})};
  all.push_back(torch_case("mean", "EmbeddingBag", {{"num_embeddings", 7}, {"embedding_dim", 3}}, {2, 5}));
  all.push_back(torch_case("max", "EmbeddingBag",
                           {{"num_embeddings", 7}, {"embedding_dim", 3}, {"mode", "max"}}, {2, 5}));
  all.push_back(torch_case("sum", "EmbeddingBag",
                           {{"num_embeddings", 7}, {"embedding_dim", 3}, {"mode", "sum"}}, {2, 5}));
  for (auto& test : all) test.inputs = "indices:7";
  return all;
}

}  // namespace

LayerKind embedding() {
  LayerKind kind;
  kind.name = "embedding";
  kind.torch = exact({"Embedding"});
  kind.torch.push_back({"EmbeddingBag", Status::composed,
                        "of Embedding and GlobalAveragePooling1D, GlobalMaxPooling1D or keras.ops Sum"});
  kind.keras = exact({"Embedding"});
  kind.summary = "Each index of x (n t...) becomes its row of a table (v d): y (n t... d).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html",
                  "https://keras.io/api/layers/core_layers/embedding/"};
  kind.lift = lift;
  kind.reads_indices = true;
  kind.infer = infer;
  kind.lower = lower;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.compute = compute;
  kind.recognise = recognise;
  kind.mistakes = {
      {"transposed", "the square table is transposed, as the kernel of a dense layer has to be", transposed}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
