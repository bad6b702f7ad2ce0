#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_call.h"
#include "tieout/error.h"

// Attention without heads and projections.   query: n t f   key: n s f   value: n s v   ->   y: n t v
//
//   y = softmax(score) value, the score of t and s being
//   "dot"       scale (query . key), and no 1 / sqrt(f)
//   "concat"    weight sum over f of tanh(scale (query + key))
//   "additive"  sum over f of scale tanh(query + key)
//
// Settings: score; causal: t sees the steps up to t only. Parameters: scale, a number or (additive) one for
// each f; weight, a number. Keras calls the layer with a list of query, value and perhaps key.

namespace tieout::layers {

namespace {

constexpr const char* own_class = "tieout.Attention";
constexpr const char* plain_function = "torch.nn.functional.scaled_dot_product_attention";
constexpr const char* own_source = R"PY(class Attention(nn.Module):
    """Attention of query (N, T, D) over key (N, S, D) and value (N, S, V), one head.

    score "dot": scale * query . key; "concat": weight * sum(tanh(scale * (query + key)));
    "additive": sum(scale * tanh(query + key)) with a scale for each of the D.
    """

    def __init__(self, score="dot", scale_shape=None, causal=False):
        super().__init__()
        self.score = score
        self.causal = causal
        learns = scale_shape is not None
        self.scale = nn.Parameter(torch.ones(scale_shape)) if learns else None
        self.weight = nn.Parameter(torch.ones(())) if score == "concat" else None

    def forward(self, query, key, value):
        scale = 1.0 if self.scale is None else self.scale
        if self.score == "dot":
            scores = query @ key.transpose(-2, -1) * scale
        elif self.score == "concat":
            pairs = query.unsqueeze(-2) + key.unsqueeze(-3)
            scores = self.weight * torch.tanh(scale * pairs).sum(-1)
        else:
            pairs = query.unsqueeze(-2) + key.unsqueeze(-3)
            scores = (scale * torch.tanh(pairs)).sum(-1)
        if self.causal:
            later = torch.ones_like(scores, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        return scores.softmax(-1) @ value
)PY";

// Query, key and value as numbers of the node's inputs.
std::vector<std::size_t> inputs_of(Lifter& lifter, Json& settings) {
  if (lifter.is_torch()) {
    if (!lifter.weights_only() && lifter.input_count() != 3)
      lifter.refuse("it is not called with query, key and value", "call it with the three");
    return {0, 1, 2};
  }
  KerasCall call = keras_call(lifter, {"query", "value", "key"});
  settings["causal"] = call.take_flag(lifter, "use_causal_mask");
  if (call.take_flag(lifter, "return_attention_scores"))
    lifter.refuse("it is called with return_attention_scores=True", "call it without");
  call.expect_only(lifter, {"query", "value", "key"});
  if (!call.tensors.contains("query") || !call.tensors.contains("value"))
    throw malformed("attention needs a query and a value");
  const std::size_t value = call.tensors.at("value");
  return {call.tensors.at("query"), call.tensors.contains("key") ? call.tensors.at("key") : value, value};
}

void name_inputs(Lifter& lifter, const std::vector<std::size_t>& which) {
  for (std::size_t k = 0; k < which.size(); ++k) {
    const Value& value = lifter.input(which[k]);
    if (value.known && value.axes.size() != 3) {
      lifter.refuse("its inputs have " + std::to_string(value.axes.size()) + " axes",
                    "use inputs of batch, time and features");
    }
    lifter.roles(which[k], {"n", k == 0 ? "t" : "s", "f"});
  }
}

// What the settings say: the score, and whether its scale is learnt.
struct Form {
  std::string score = "dot";
  bool has_scale = false;
};

Form read_form(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::string& name = lifter.node().class_name;
  if (name == plain_function) {
    if (given.number("scale", 0) != 1) lifter.refuse("its scale is not 1", "use nn.MultiheadAttention");
    return {};
  }
  if (name == own_class) return {given.text("score", "dot"), given.has("scale_shape")};
  if (name == "AdditiveAttention") return {"additive", given.flag("use_scale", true)};
  return {given.text("score_mode", "dot"), given.flag("use_scale", false)};
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("attention");
  const Form form = read_form(lifter);
  if (form.score != "dot" && form.score != "concat" && form.score != "additive")
    throw malformed("the score \"" + form.score + "\" is not known");
  layer.settings = {
      {"score", form.score},
      {"causal",
       lifter.settings().flag(lifter.node().class_name == plain_function ? "is_causal" : "causal", false)}};
  const auto which = inputs_of(lifter, layer.settings);
  if (!lifter.weights_only()) {
    name_inputs(lifter, which);
    const auto given = layer.inputs;
    layer.inputs.clear();
    for (const std::size_t k : which) layer.inputs.push_back(given.at(k));
  }
  const std::string along = form.score == "additive" ? "f" : "";
  const AxisSizes sizes = along.empty() ? AxisSizes{} : AxisSizes{{"f", lifter.size(which[0], -1)}};
  layer.parameters.push_back(form.has_scale
                                 ? lifter.parameter("scale", along, {lifter.term("scale", along)}, sizes)
                                 : lifter.constant("scale", along, sizes, 1));
  if (form.score == "concat") {
    const Term weight = lifter.term(lifter.is_torch() ? "weight" : "concat_score_weight", "");
    layer.parameters.push_back(lifter.parameter("weight", "", {weight}));
  }
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer&, const std::vector<Axes>& inputs) {
  return {{inputs[0].at(0), inputs[0].at(1), inputs.at(2).at(2)}};
}

void lower_torch(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const bool causal = s["causal"].get<bool>();
  FrameworkNode node;
  if (s["score"] == "dot" && !lowerer.stores("scale")) {
    node.class_name = plain_function;
    node.settings = {{"scale", 1.0}, {"is_causal", causal}};
    node.call = std::string("F.scaled_dot_product_attention({0}, {1}, {2}, ") +
                (causal ? "is_causal=True, " : "") + "scale=1.0)";
  } else {
    node.class_name = own_class;
    node.definition = own_source;
    node.settings = {{"score", s["score"]}};
    if (lowerer.stores("scale")) {
      node.settings["scale_shape"] = Json::array();
      if (s["score"] == "additive") node.settings["scale_shape"].push_back(lowerer.axes(0).back().size);
    }
    if (causal) node.settings["causal"] = true;
  }
  lowerer.add_node(std::move(node));
}

void lower_keras(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  FrameworkNode node;
  node.class_name = s["score"] == "additive" ? "AdditiveAttention" : "Attention";
  node.settings = {{"use_scale", lowerer.stores("scale")}};
  if (s["score"] == "concat") node.settings["score_mode"] = "concat";
  const auto& inputs = lowerer.inputs();
  node.inputs = {{inputs.at(0), {}}, {inputs.at(2), {}}};
  if (!(inputs.at(1) == inputs.at(2))) node.inputs.push_back({inputs[1], {}});
  node.inputs_as_list = true;
  if (s["causal"].get<bool>()) {
    Json list = Json::array();
    for (std::size_t k = 0; k < node.inputs.size(); ++k) list.push_back({{"input", k}});
    node.settings["args"] = Json::array({list});
    node.settings["kwargs"] = {{"use_causal_mask", true}};
  }
  lowerer.add_node(std::move(node));
}

double score_of(const Evaluation& e, const std::string& form, const double* query, const double* key) {
  const Array& scale = e.parameter("scale");
  const auto count = static_cast<std::size_t>(e.inputs[0]->size(2));
  double sum = 0;
  for (std::size_t f = 0; f < count; ++f) {
    const double factor = scale.data[form == "additive" ? f : 0];
    if (form == "dot") sum += factor * query[f] * key[f];
    if (form == "concat") sum += std::tanh(factor * (query[f] + key[f]));
    if (form == "additive") sum += factor * std::tanh(query[f] + key[f]);
  }
  return form == "concat" ? sum * e.parameter("weight").data[0] : sum;
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& query = *e.inputs[0];
  const Array& key = *e.inputs[1];
  const Array& value = *e.inputs[2];
  const auto form = e.layer.settings.at("score").get<std::string>();
  const bool causal = e.flag("causal");
  const std::int64_t features = query.size(2);
  const std::int64_t steps = key.size(1);
  const std::int64_t width = value.size(2);
  Array y({query.size(0), query.size(1), width});
  std::vector<double> weights(static_cast<std::size_t>(steps));
  for (std::int64_t row = 0; row < query.size(0) * query.size(1); ++row) {
    const std::int64_t n = row / query.size(1);
    const std::int64_t last = causal ? std::min(row % query.size(1) + 1, steps) : steps;
    double top = -std::numeric_limits<double>::infinity();
    for (std::int64_t s = 0; s < last; ++s) {
      double& score = weights[static_cast<std::size_t>(s)];
      score =
          score_of(e, form, query.data.data() + row * features, key.data.data() + (n * steps + s) * features);
      top = std::max(top, score);
    }
    double sum = 0;
    for (std::int64_t s = 0; s < last; ++s) {
      double& weight = weights[static_cast<std::size_t>(s)];
      sum += weight = std::exp(weight - top);
    }
    double* into = y.data.data() + row * width;
    for (std::int64_t s = 0; s < last; ++s) {
      const double* from = value.data.data() + (n * steps + s) * width;
      const double weight = weights[static_cast<std::size_t>(s)] / sum;
      for (std::int64_t v = 0; v < width; ++v) into[v] += weight * from[v];
    }
  }
  return {y};
}

bool forgotten_scale(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter& scale = layer.parameters.at(0);
  if (scale.terms.empty()) return false;
  scale.terms.clear();
  scale.constant = 1;
  return true;
}

bool other_causality(Layer& layer, Framework, const std::vector<Axes>&) {
  layer.settings["causal"] = !layer.settings["causal"].get<bool>();
  return true;
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const std::string& class_name, const Json& settings,
                       const std::vector<Shape>& shapes) {
    Case test = keras_case(name, class_name, settings, shapes[0]);
    test.input_shapes = shapes;
    return test;
  };
  const std::vector<Shape> two = {{2, 5, 4}, {2, 3, 4}};
  const std::vector<Shape> three = {{2, 5, 4}, {2, 3, 6}, {2, 3, 4}};
  const Json causal = {{"use_causal_mask", true}};
  return {made("query and value", "Attention", Json::object(), two),
          made("query, value and key", "Attention", Json::object(), three),
          made("causal", "Attention", {{"call", causal}}, two),
          made("scale", "Attention", {{"use_scale", true}}, three),
          made("scale, causal", "Attention", {{"use_scale", true}, {"call", causal}}, three),
          made("concat", "Attention", {{"score_mode", "concat"}}, three),
          made("concat, scale", "Attention", {{"score_mode", "concat"}, {"use_scale", true}}, two),
          made("default", "AdditiveAttention", Json::object(), three),
          made("no scale", "AdditiveAttention", {{"use_scale", false}}, two),
          made("causal", "AdditiveAttention", {{"call", causal}}, two)};
}

}  // namespace

LayerKind attention() {
  LayerKind kind;
  kind.name = "attention";
  kind.torch = exact({own_class, plain_function});
  kind.keras = exact({"Attention", "AdditiveAttention"});
  kind.summary = "Attention of query (n t f) over key (n s f) and value (n s v), one head, no projections.";
  kind.sources = {"https://keras.io/api/layers/attention_layers/attention/",
                  "https://keras.io/api/layers/attention_layers/additive_attention/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = [](Lowerer& lowerer) { lowerer.to_torch() ? lower_torch(lowerer) : lower_keras(lowerer); };
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.compute = compute;
  kind.fan_in = [](const Layer&) { return 64.0; };
  kind.mistakes = {{"forgotten_scale", "the learnt scale of the scores was left out", forgotten_scale},
                   {"causality", "one of the two hides later steps and the other does not", other_causality}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
