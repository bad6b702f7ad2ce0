#include "layers/shared/attention.h"
#include "layers/shared/keras_call.h"
#include "tieout/error.h"

// Multi-head attention.   query: n t f   key: n s f   value: n s f   mask: n t s   ->   y: n t f
//
//   q = query query_kernel + query_bias (h d), k and v alike
//   y = sum over heads of softmax(q k^T / sqrt(d)) v output_kernel + output_bias
//
// Parameters: query_kernel, key_kernel, value_kernel: h d e   their biases: h d   output_kernel: o h d
// output_bias: o. PyTorch puts the three kernels into one tensor where query, key and value have the same
// features. Keras calls the layer with (query, value, key).
//
// Settings: heads; key_value_heads, each of which serves heads / key_value_heads heads of the query one after
// the other; key_dim, value_dim (d), output (o). causal: step t sees the steps up to t only; window: the
// steps less than so many away, or null; a mask says where t may see s. A query that may see nothing gets the
// mean of the values, or 0 where dropout is not 0 or the scores are asked for: Keras' backends compute the
// one, its Softmax the other. scores: the softmax (n h t s) is a second output. gate: sigmoid(query
// gate_kernel + gate_bias) multiplies what the heads give (h d).

namespace tieout::layers {

namespace {

constexpr std::int64_t largest = 1 << 24;
const std::vector<std::string> keras_arguments{"query",
                                               "value",
                                               "key",
                                               "query_mask",
                                               "value_mask",
                                               "key_mask",
                                               "attention_mask",
                                               "return_attention_scores",
                                               "training",
                                               "use_causal_mask"};

enum class Form { torch, own, keras, keras_grouped };

Form form_of(const Lifter& lifter) {
  const std::string& name = lifter.node().class_name;
  if (lifter.is_torch()) return name == own_attention ? Form::own : Form::torch;
  return name == "MultiHeadAttention" ? Form::keras : Form::keras_grouped;
}

std::int64_t checked(std::int64_t size) {
  if (size <= 0 || size > largest) throw malformed("heads and dimensions must be positive");
  return size;
}

// What the layer is called with: query, key, value and perhaps a mask, as numbers of the node's inputs.
std::vector<std::size_t> inputs_of(Lifter& lifter, Json& settings) {
  if (lifter.weights_only()) return {};
  if (lifter.is_torch()) {
    const std::size_t count = lifter.input_count();
    if (count != 3 && !(count == 4 && form_of(lifter) == Form::own))
      lifter.refuse("it is not called with query, key and value", "call it with the three");
    return count == 4 ? std::vector<std::size_t>{0, 1, 2, 3} : std::vector<std::size_t>{0, 1, 2};
  }
  KerasCall call = keras_call(lifter, keras_arguments);
  settings["causal"] = call.take_flag(lifter, "use_causal_mask");
  settings["scores"] = call.take_flag(lifter, "return_attention_scores");
  call.expect_only(lifter, {"query", "value", "key", "attention_mask"});
  if (!call.tensors.contains("query") || !call.tensors.contains("value"))
    throw malformed("attention needs a query and a value");
  const std::size_t value = call.tensors.at("value");
  const bool has_key = call.tensors.contains("key");
  std::vector<std::size_t> which{call.tensors.at("query"), has_key ? call.tensors.at("key") : value, value};
  if (call.tensors.contains("attention_mask")) which.push_back(call.tensors.at("attention_mask"));
  return which;
}

void read_torch(Lifter& lifter, Json& s) {
  const auto& given = lifter.settings();
  s["output"] = checked(given.integer("embed_dim"));
  s["heads"] = s["key_value_heads"] = checked(given.integer("num_heads"));
  const auto width = s["output"].get<std::int64_t>();
  const auto heads = s["heads"].get<std::int64_t>();
  if (width % heads != 0) throw malformed("embed_dim must be a multiple of num_heads");
  s["key_dim"] = s["value_dim"] = width / heads;
  const bool has_extra_key =
      lifter.has_variable("bias_k") || lifter.has_variable("bias_v") || given.flag("add_bias_kv", false);
  if (has_extra_key || given.flag("add_zero_attn", false)) {
    lifter.refuse("add_bias_kv and add_zero_attn add a key, which Keras has not",
                  "train the model without them");
  }
}

void read_own(Lifter& lifter, Json& s) {
  const auto& given = lifter.settings();
  s["heads"] = checked(given.integer("num_heads"));
  s["key_value_heads"] = checked(given.integer("num_key_value_heads", s["heads"].get<std::int64_t>()));
  s["key_dim"] = checked(given.integer("head_dim"));
  s["value_dim"] = checked(given.integer("value_head_dim"));
  s["output"] = checked(given.integer("output_dim"));
  s["causal"] = given.flag("causal", false);
  s["gate"] = given.flag("gate", false);
  if (given.has("window")) s["window"] = checked(given.integer("window"));
}

void read_keras(Lifter& lifter, Json& s) {
  const auto& given = lifter.settings();
  if (given.has("attention_axes")) {
    const auto axes = given.list("attention_axes");
    if (axes != std::vector<std::int64_t>{1} && axes != std::vector<std::int64_t>{-2})
      lifter.refuse("attention_axes other than 1 are not carried", "attend along the axis behind the batch");
  }
  s["gate"] = given.flag("use_gate", false);
  if (given.has("sliding_window")) s["window"] = checked(given.integer("sliding_window"));
  s["output"] = lifter.weights_only() ? unknown : lifter.size(0, -1);
  if (form_of(lifter) == Form::keras_grouped) {
    s["heads"] = checked(given.integer("num_query_heads"));
    s["key_value_heads"] = checked(given.integer("num_key_value_heads"));
    s["key_dim"] = s["value_dim"] = checked(given.integer("head_dim"));
    return;
  }
  s["heads"] = s["key_value_heads"] = checked(given.integer("num_heads"));
  s["key_dim"] = checked(given.integer("key_dim"));
  s["value_dim"] = checked(given.has("value_dim") ? given.integer("value_dim") : given.integer("key_dim"));
  if (!given.has("output_shape")) return;
  const auto shape = given.list("output_shape");
  if (shape.size() != 1)
    lifter.refuse("its output_shape has several axes", "use an output_shape of one axis");
  s["output"] = checked(shape[0]);
}

bool has_bias(Lifter& lifter) {
  if (lifter.is_keras()) return lifter.settings().flag("use_bias", true);
  const char* name = form_of(lifter) == Form::own ? "q_proj.bias" : "in_proj_bias";
  return lifter.node().parameters.empty() ? lifter.settings().flag("bias", true) : lifter.has_variable(name);
}

// The tensors of a file tell; a new node has its settings only.
bool has_one_kernel(Lifter& lifter) {
  if (form_of(lifter) != Form::torch) return false;
  if (!lifter.node().parameters.empty()) return lifter.has_variable("in_proj_weight");
  const std::int64_t features = lifter.settings().integer("embed_dim");
  return lifter.settings().integer("kdim", features) == features &&
         lifter.settings().integer("vdim", features) == features;
}

// One projection into heads.
struct Projection {
  std::string name;  // "query"
  std::int64_t heads = 0;
  std::int64_t width = 0;  // d
  std::int64_t features = unknown;
};

// Where a Keras file holds the layer of a projection: MultiHeadAttention shows four of them as properties.
std::string keras_group(const Lifter& lifter, const std::string& name) {
  const bool hidden = form_of(lifter) == Form::keras_grouped || name == "gate";
  return (hidden ? "_" : "") + name + "_dense/vars/";
}

Term kernel_term(Lifter& lifter, const Projection& p, const std::string& all) {
  if (lifter.is_keras()) return lifter.term(p.name + "/kernel", "e h d", keras_group(lifter, p.name) + "0");
  const std::string block = p.name.substr(0, 1);
  if (form_of(lifter) == Form::own) {
    return lifter.term((p.name == "gate" ? p.name : block) + "_proj.weight", "(h d) e");
  }
  if (all.empty()) return lifter.term(block + "_proj_weight", "(h d) e");
  return {all, parse_pattern("(p{" + block + " of q k v} h d) e")};
}

void add_projection(Lifter& lifter, Layer& layer, const Projection& p, const std::string& all, bool stored) {
  layer.parameters.push_back(lifter.parameter(p.name + "_kernel", "h d e", {kernel_term(lifter, p, all)},
                                              {{"h", p.heads}, {"d", p.width}, {"e", p.features}}));
  if (form_of(lifter) == Form::torch) return;  // its biases are one tensor behind the kernels
  std::vector<Term> bias;
  if (stored && lifter.is_keras()) {
    bias = {lifter.term(p.name + "/bias", "h d", keras_group(lifter, p.name) + "1")};
  } else if (stored) {
    bias = {lifter.term((p.name == "gate" ? p.name : p.name.substr(0, 1)) + "_proj.bias", "(h d)")};
  }
  layer.parameters.push_back(
      lifter.parameter(p.name + "_bias", "h d", bias, {{"h", p.heads}, {"d", p.width}}));
}

void add_torch_biases(Lifter& lifter, Layer& layer, bool stored) {
  Term all;
  if (stored) all = lifter.term("in_proj_bias", "(p{q of q k v} h d)");
  const AxisSizes sizes{{"h", layer.settings["heads"].get<std::int64_t>()},
                        {"d", layer.settings["key_dim"].get<std::int64_t>()}};
  for (const std::string name : {"query", "key", "value"}) {
    std::vector<Term> bias;
    if (stored) bias = {{all.tensor, parse_pattern("(p{" + name.substr(0, 1) + " of q k v} h d)")}};
    layer.parameters.push_back(lifter.parameter(name + "_bias", "h d", bias, sizes));
  }
}

void add_output(Lifter& lifter, Layer& layer, bool stored) {
  const Json& s = layer.settings;
  const AxisSizes sizes{{"o", s["output"].get<std::int64_t>()},
                        {"h", s["heads"].get<std::int64_t>()},
                        {"d", s["value_dim"].get<std::int64_t>()}};
  const bool torch = lifter.is_torch();
  const std::string group = keras_group(lifter, "output");
  layer.parameters.push_back(
      lifter.parameter("output_kernel", "o h d",
                       {torch ? lifter.term("out_proj.weight", "o (h d)")
                              : lifter.term("attention_output/kernel", "h d o", group + "0")},
                       sizes));
  std::vector<Term> bias;
  if (stored) {
    bias = {torch ? lifter.term("out_proj.bias", "o")
                  : lifter.term("attention_output/bias", "o", group + "1")};
  }
  const auto& solved = layer.parameters.back().sizes;
  layer.settings["output"] = solved.contains("o") ? solved.at("o") : unknown;
  layer.parameters.push_back(
      lifter.parameter("output_bias", "o", bias, {{"o", layer.settings["output"].get<std::int64_t>()}}));
}

void add_parameters(Lifter& lifter, Layer& layer, const std::vector<std::int64_t>& features) {
  const Json& s = layer.settings;
  const auto heads = s["heads"].get<std::int64_t>();
  const auto shared = s["key_value_heads"].get<std::int64_t>();
  const auto key_dim = s["key_dim"].get<std::int64_t>();
  const auto value_dim = s["value_dim"].get<std::int64_t>();
  if (heads % shared != 0) throw malformed("the heads of the query must be a multiple of those of the key");
  // Before the first variable of a new node is there.
  const bool stored = has_bias(lifter);
  std::string all;
  if (has_one_kernel(lifter)) all = lifter.term("in_proj_weight", "(p{q of q k v} h d) e").tensor;
  add_projection(lifter, layer, {"query", heads, key_dim, features[0]}, all, stored);
  add_projection(lifter, layer, {"key", shared, key_dim, features[1]}, all, stored);
  const bool gate = s["gate"].get<bool>();
  if (gate && lifter.is_keras())
    add_projection(lifter, layer, {"gate", heads, value_dim, features[0]}, all, stored);
  add_projection(lifter, layer, {"value", shared, value_dim, features[2]}, all, stored);
  if (gate && lifter.is_torch())
    add_projection(lifter, layer, {"gate", heads, value_dim, features[0]}, all, stored);
  if (form_of(lifter) == Form::torch) add_torch_biases(lifter, layer, stored);
  add_output(lifter, layer, stored);
}

// Says what the inputs' axes are, and gives the order in which they lie.
std::vector<int> name_inputs(Lifter& lifter, const std::vector<std::size_t>& which) {
  std::vector<int> order{0, 1, 2};
  if (form_of(lifter) == Form::torch && !lifter.settings().flag("batch_first", false)) order = {1, 0, 2};
  for (std::size_t k = 0; k < which.size(); ++k) {
    const Value& value = lifter.input(which[k]);
    if (value.known && value.axes.size() != 3) {
      lifter.refuse(std::string(k == 3 ? "its mask has " : "its inputs have ") +
                        std::to_string(value.axes.size()) + " axes",
                    k == 3 ? "use a mask of batch, query steps and key steps"
                           : "use inputs of batch, time and features");
    }
    lifter.roles(which[k], {"n", k == 0 || k == 3 ? "t" : "s", k == 3 ? "s" : "f"}, order);
  }
  return order;
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("multi_head_attention");
  layer.settings = {{"causal", false},
                    {"window", nullptr},
                    {"gate", false},
                    {"dropout", lifter.settings().number("dropout", 0)},
                    {"scores", lifter.settings().flag("_scores", false)}};
  const auto which = inputs_of(lifter, layer.settings);
  const auto order = name_inputs(lifter, which);
  switch (form_of(lifter)) {
    case Form::torch:
      read_torch(lifter, layer.settings);
      break;
    case Form::own:
      read_own(lifter, layer.settings);
      break;
    default:
      read_keras(lifter, layer.settings);
  }
  std::vector<std::int64_t> features(3, unknown);
  const auto given = layer.inputs;
  if (!which.empty()) {
    layer.inputs.clear();
    for (std::size_t k = 0; k < which.size(); ++k) {
      layer.inputs.push_back(given.at(which[k]));
      if (k < 3) features[k] = lifter.size(which[k], -1);
      layer.orders.push_back(order);
    }
  }
  add_parameters(lifter, layer, features);
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out = inputs[0];
  out[2] = {out[2].parts.empty() ? out[2].name : "f", layer.settings["output"], {}};
  if (!layer.settings["scores"].get<bool>()) return {out};
  return {out, {inputs[0][0], {"heads", layer.settings["heads"], {}}, inputs[0][1], inputs[1][1]}};
}

}  // namespace

LayerKind multi_head_attention() {
  LayerKind kind;
  kind.name = "multi_head_attention";
  kind.torch = {{"MultiheadAttention", Status::exact, ""}, {own_attention, Status::exact, ""}};
  kind.keras = {{"MultiHeadAttention", Status::exact, ""},
                {"GroupedQueryAttention", Status::exact, ""},
                {"GroupQueryAttention", Status::exact, ""}};
  kind.summary = "Attention of query (n t f) over key and value (n s f) in heads: y (n t f).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html",
                  "https://keras.io/api/layers/attention_layers/multi_head_attention/",
                  "https://keras.io/api/layers/attention_layers/group_query_attention/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.lower = write_attention;
  kind.compute = compute_attention;
  kind.fan_in = attention_fan_in;
  kind.recognise = recognise_attention;
  kind.mistakes = attention_mistakes();
  kind.cases = attention_cases();
  return kind;
}

}  // namespace tieout::layers
