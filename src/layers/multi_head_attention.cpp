#include "layers/shared/attention.h"
#include "tieout/error.h"

// Multi-head attention.   query: n t f   key: n s f   value: n s f   ->   y: n t f
//
//   q = query query_kernel + query_bias (h d), k and v alike;   y = sum over heads of softmax(q k^T /
//   sqrt(d)) v output_kernel
//
// Parameters: query_kernel, key_kernel, value_kernel: h d e   their biases: h d   output_kernel: o h d
// output_bias: o PyTorch puts the three kernels into one tensor where query, key and value have the same
// features. Keras calls the layer with (query, value, key).

namespace tieout::layers {

namespace {

constexpr std::int64_t largest = 1 << 24;

struct Sizes {
  std::int64_t heads = 0;
  std::int64_t key_dim = 0;
  std::int64_t value_dim = 0;
  std::int64_t output = unknown;
  bool has_bias = true;
};

std::int64_t checked(std::int64_t size) {
  if (size <= 0 || size > largest) throw malformed("heads and dimensions must be positive");
  return size;
}

// query, key, value among the node's inputs.
std::vector<std::size_t> keras_inputs(Lifter& lifter) {
  const auto& inputs = lifter.node().inputs;
  std::size_t key = 1;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto& keyword = inputs[k].keyword;
    if (keyword == "key" || (k == 2 && keyword.empty())) {
      key = k;
    } else if (k > 2 || (!keyword.empty() && keyword != "query" && keyword != "value")) {
      lifter.refuse(
          "it is called with the input " + (keyword.empty() ? "number " + std::to_string(k) : keyword),
          "call it with query, value and key alone; masks are not carried");
    }
  }
  if (inputs.size() < 2) throw malformed("attention needs a query and a value");
  std::size_t query = 0;
  std::size_t value = 1;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k].keyword == "query") query = k;
    if (inputs[k].keyword == "value") value = k;
  }
  return {query, inputs.size() > 2 ? key : value, value};
}

std::vector<std::size_t> inputs_of(Lifter& lifter) {
  if (lifter.weights_only()) return {};
  if (lifter.is_keras()) {
    const Json& kwargs = lifter.settings().raw("kwargs");
    if (!kwargs.is_null() || !lifter.settings().raw("args").is_null()) {
      lifter.refuse(
          "it is called with " + kwargs.dump().substr(0, 100),
          "call it with query, value and key alone; masks (use_causal_mask, attention_mask) are not carried");
    }
    return keras_inputs(lifter);
  }
  if (lifter.input_count() != 3)
    lifter.refuse("it is not called with query, key and value", "call it with the three");
  return {0, 1, 2};
}

Sizes torch_sizes(Lifter& lifter) {
  const auto& given = lifter.settings();
  Sizes sizes;
  sizes.output = checked(given.integer("embed_dim"));
  sizes.heads = checked(given.integer("num_heads"));
  if (sizes.output % sizes.heads != 0) throw malformed("embed_dim must be a multiple of num_heads");
  sizes.key_dim = sizes.value_dim = sizes.output / sizes.heads;
  sizes.has_bias = given.flag("bias", true);
  if (!lifter.node().parameters.empty()) sizes.has_bias = lifter.has_variable("in_proj_bias");
  const bool has_extra_key =
      lifter.has_variable("bias_k") || lifter.has_variable("bias_v") || given.flag("add_bias_kv", false);
  if (has_extra_key || given.flag("add_zero_attn", false)) {
    lifter.refuse("add_bias_kv and add_zero_attn add a key, which Keras has not",
                  "train the model without them");
  }
  return sizes;
}

Sizes keras_sizes(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (given.flag("use_gate", false) || given.has("sliding_window")) {
    lifter.refuse("use_gate and sliding_window are not carried", "train the model without them");
  }
  if (given.has("attention_axes") && given.list("attention_axes") != std::vector<std::int64_t>{1}) {
    lifter.refuse("attention_axes other than 1 are not carried", "attend along the axis behind the batch");
  }
  Sizes sizes;
  sizes.heads = checked(given.integer("num_heads"));
  sizes.key_dim = checked(given.integer("key_dim"));
  sizes.value_dim = checked(given.has("value_dim") ? given.integer("value_dim") : sizes.key_dim);
  sizes.has_bias = given.flag("use_bias", true);
  if (given.has("output_shape")) {
    const auto shape = given.list("output_shape");
    if (shape.size() != 1)
      lifter.refuse("its output_shape has several axes", "use an output_shape of one axis");
    sizes.output = checked(shape[0]);
  } else if (!lifter.weights_only()) {
    sizes.output = lifter.size(0, -1);
  }
  return sizes;
}

// One of the three projections.
struct Projection {
  std::string name;         // "query"
  std::string torch_block;  // "q"
  std::int64_t width = 0;   // d
  std::int64_t features = unknown;
};

void add_projection(Lifter& lifter, Layer& layer, const Sizes& s, const Projection& p, bool in_one) {
  Term kernel;
  if (lifter.is_keras()) {
    kernel = lifter.term(p.name + "/kernel", "e h d", p.name + "_dense/vars/0");
  } else if (!in_one) {
    kernel = lifter.term(p.torch_block + "_proj_weight", "(h d) e");
  } else if (p.torch_block == "q") {
    kernel = lifter.term("in_proj_weight", "(p{q of q k v} h d) e");
  } else {
    kernel = layer.parameters.at(0).terms.at(0);
    kernel.pattern = parse_pattern("(p{" + p.torch_block + " of q k v} h d) e");
  }
  layer.parameters.push_back(lifter.parameter(p.name + "_kernel", "h d e", {kernel},
                                              {{"h", s.heads}, {"d", p.width}, {"e", p.features}}));
  if (lifter.is_torch()) return;  // its biases are one tensor behind the kernels
  std::vector<Term> bias;
  if (s.has_bias) bias = {lifter.term(p.name + "/bias", "h d", p.name + "_dense/vars/1")};
  layer.parameters.push_back(
      lifter.parameter(p.name + "_bias", "h d", bias, {{"h", s.heads}, {"d", p.width}}));
}

void add_torch_biases(Lifter& lifter, Layer& layer, const Sizes& s) {
  Term all;
  if (s.has_bias) all = lifter.term("in_proj_bias", "(p{q of q k v} h d)");
  for (const std::string name : {"query", "key", "value"}) {
    std::vector<Term> bias;
    if (s.has_bias) bias = {{all.tensor, parse_pattern("(p{" + name.substr(0, 1) + " of q k v} h d)")}};
    layer.parameters.push_back(
        lifter.parameter(name + "_bias", "h d", bias, {{"h", s.heads}, {"d", s.key_dim}}));
  }
}

// The tensors of a file tell; a new node has its settings only.
bool has_one_kernel(Lifter& lifter) {
  if (!lifter.node().parameters.empty()) return lifter.has_variable("in_proj_weight");
  const std::int64_t features = lifter.settings().integer("embed_dim");
  return lifter.settings().integer("kdim", features) == features &&
         lifter.settings().integer("vdim", features) == features;
}

void add_parameters(Lifter& lifter, Layer& layer, const Sizes& s, const std::vector<std::int64_t>& features) {
  const bool in_one = lifter.is_torch() && has_one_kernel(lifter);
  add_projection(lifter, layer, s, {"query", "q", s.key_dim, features[0]}, in_one);
  add_projection(lifter, layer, s, {"key", "k", s.key_dim, features[1]}, in_one);
  add_projection(lifter, layer, s, {"value", "v", s.value_dim, features[2]}, in_one);
  if (lifter.is_torch()) add_torch_biases(lifter, layer, s);
  const AxisSizes sizes{{"o", s.output}, {"h", s.heads}, {"d", s.value_dim}};
  const bool torch = lifter.is_torch();
  layer.parameters.push_back(
      lifter.parameter("output_kernel", "o h d",
                       {torch ? lifter.term("out_proj.weight", "o (h d)")
                              : lifter.term("attention_output/kernel", "h d o", "output_dense/vars/0")},
                       sizes));
  std::vector<Term> bias;
  if (s.has_bias) {
    bias = {torch ? lifter.term("out_proj.bias", "o")
                  : lifter.term("attention_output/bias", "o", "output_dense/vars/1")};
  }
  layer.parameters.push_back(lifter.parameter("output_bias", "o", bias, {{"o", s.output}}));
}

void lift(Lifter& lifter) {
  const auto which = inputs_of(lifter);
  std::vector<int> order{0, 1, 2};
  if (lifter.is_torch() && !lifter.settings().flag("batch_first", false)) order = {1, 0, 2};
  for (std::size_t k = 0; k < which.size(); ++k) {
    const Value& value = lifter.input(which[k]);
    if (value.known && value.axes.size() != 3) {
      lifter.refuse("its inputs have " + std::to_string(value.axes.size()) + " axes",
                    "use inputs of batch, time and features");
    }
    lifter.roles(which[k], {"n", k == 0 ? "t" : "s", "f"}, order);
  }
  const Sizes s = lifter.is_torch() ? torch_sizes(lifter) : keras_sizes(lifter);
  Layer layer = lifter.layer("multi_head_attention");
  std::vector<std::int64_t> features(3, unknown);
  if (!which.empty()) {
    const auto given = layer.inputs;
    layer.inputs.clear();
    for (std::size_t k = 0; k < 3; ++k) {
      layer.inputs.push_back(given.at(which[k]));
      features[k] = lifter.size(which[k], -1);
    }
    layer.orders = {order, order, order};
  }
  layer.settings = {{"heads", s.heads}, {"key_dim", s.key_dim}, {"value_dim", s.value_dim}};
  add_parameters(lifter, layer, s, features);
  const Parameter& kernel = layer.parameters.at(6);
  layer.settings["output"] = kernel.sizes.contains("o") ? kernel.sizes.at("o") : unknown;
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  out[2] = {out[2].parts.empty() ? out[2].name : "f", layer.settings["output"], {}};
  return {out};
}

void lower_torch(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const std::int64_t features = lowerer.axes(0).back().size;
  const std::int64_t heads = s["heads"];
  if (heads * s["key_dim"].get<std::int64_t>() != features || s["value_dim"] != s["key_dim"] ||
      s["output"] != features) {
    lowerer.refuse(
        "nn.MultiheadAttention has heads x key_dim = value_dim x heads = output = the query's features (" +
            std::to_string(features) + "), this layer has " + s.dump(),
        "use key_dim = features / num_heads, value_dim the same and no output_shape");
  }
  Json made = {{"embed_dim", features}, {"num_heads", heads}, {"batch_first", true}};
  if (!lowerer.stores("query_bias")) made["bias"] = false;
  if (lowerer.axes(1).back().size != features) made["kdim"] = lowerer.axes(1).back().size;
  if (lowerer.axes(2).back().size != features) made["vdim"] = lowerer.axes(2).back().size;
  lowerer.add("MultiheadAttention", made, "{module}({0}, {1}, {2}, need_weights=False)[0]");
}

void lower_keras(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  FrameworkNode node;
  node.class_name = "MultiHeadAttention";
  node.settings = {{"num_heads", s["heads"]},
                   {"key_dim", s["key_dim"]},
                   {"value_dim", s["value_dim"]},
                   {"use_bias", lowerer.stores("query_bias")}};
  if (s["output"] != lowerer.axes(0).back().size) node.settings["output_shape"] = {s["output"]};
  const auto& inputs = lowerer.inputs();
  node.inputs = {{inputs.at(0), {}}, {inputs.at(2), {}}};
  if (!(inputs.at(1) == inputs.at(2))) node.inputs.push_back({inputs.at(1), "key"});
  lowerer.add_node(std::move(node));
}

std::vector<Case> cases() {
  const auto torch = Framework::torch;
  const auto keras = Framework::keras;
  const std::string torch_class = "MultiheadAttention";
  const std::string keras_class = "MultiHeadAttention";
  return {
      {.name = "batch first",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 8}, {"num_heads", 2}, {"batch_first", true}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}, {2, 3, 8}}},
      {.name = "defaults (time first)",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 8}, {"num_heads", 2}},
       .input_shapes = {{5, 2, 8}, {3, 2, 8}, {3, 2, 8}}},
      {.name = "other features of key and value",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 12}, {"num_heads", 3}, {"kdim", 5}, {"vdim", 7}, {"batch_first", true}},
       .input_shapes = {{2, 4, 12}, {2, 6, 5}, {2, 6, 7}}},
      {.name = "no bias, dropout, three per head",
       .framework = torch,
       .class_name = torch_class,
       .settings =
           {{"embed_dim", 6}, {"num_heads", 2}, {"bias", false}, {"dropout", 0.5}, {"batch_first", true}},
       .input_shapes = {{2, 4, 6}, {2, 5, 6}, {2, 5, 6}},
       .keras_rounds_to_float32 = true},
      {.name = "query and value",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
      {.name = "query, value and key",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 3}, {"key_dim", 4}},
       .input_shapes = {{2, 4, 12}, {2, 6, 7}, {2, 6, 5}}},
      {.name = "no bias, three per head",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 3}, {"use_bias", false}},
       .input_shapes = {{2, 5, 6}, {2, 3, 6}},
       .keras_rounds_to_float32 = true},
      {.name = "key_dim as wide as the features",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}},
       .input_shapes = {{2, 5, 4}, {2, 3, 4}},
       .target_refuses = true},
      {.name = "other value_dim and output_shape",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}, {"value_dim", 3}, {"output_shape", 5}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}},
       .target_refuses = true},
  };
}

}  // namespace

LayerKind multi_head_attention() {
  LayerKind kind;
  kind.name = "multi_head_attention";
  kind.torch = {{"MultiheadAttention", Status::exact, ""}};
  kind.keras = {{"MultiHeadAttention", Status::exact, ""}};
  const std::string parts =
      "not carried as one layer; build it from attention, dense and normalisation layers";
  for (const char* name : {"TransformerEncoderLayer", "TransformerEncoder", "TransformerDecoderLayer",
                           "TransformerDecoder", "Transformer"}) {
    kind.torch.push_back({name, Status::refused, parts});
  }
  for (const char* name :
       {"GroupQueryAttention", "GroupedQueryAttention", "Attention", "AdditiveAttention"}) {
    kind.keras.push_back({name, Status::refused, "PyTorch has no module for it"});
  }
  kind.summary = "Attention of query (n t f) over key and value (n s f) in heads: y (n t f).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html",
                  "https://keras.io/api/layers/attention_layers/multi_head_attention/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.lower = [](Lowerer& lowerer) { lowerer.to_torch() ? lower_torch(lowerer) : lower_keras(lowerer); };
  kind.compute = compute_attention;
  kind.fan_in = attention_fan_in;
  kind.recognise = recognise_attention;
  kind.mistakes = attention_mistakes();
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
