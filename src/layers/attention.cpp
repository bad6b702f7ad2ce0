#include <algorithm>

#include "layers/shared/elementwise.h"
#include "layers/shared/keras_call.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/plain_attention.h"
#include "tieout/error.h"

// Attention without heads and projections.   query: n t f   key: n s f   value: n s v   ->   y: n t v
//
//   y = softmax(score) value, the score of t and s being
//   "dot"       scale (query . key), and no 1 / sqrt(f)
//   "concat"    weight sum over f of tanh(scale (query + key))
//   "additive"  sum over f of scale tanh(query + key)
//
// Settings: score; causal: t sees the steps up to t only; masks: "query", whose mask (n t) says where y is
// not 0, and "value", whose mask (n s) says what counts, the inputs behind the three; scores: the softmax (n
// t s) is a second output. Parameters: scale, a number or (additive) one for each f; weight, a number. Keras
// calls the layer with a list of query, value and perhaps key.

namespace tieout::layers {

namespace {

// Whose masks a call passes: mask=[of the query, of the value, of the key, which is not used].
void add_masks(Lifter& lifter, KerasCall& call, Json& settings, std::vector<std::size_t>& which) {
  const auto found = call.constants.find("mask");
  if (found == call.constants.end()) return;
  const Json list = found->second;
  if (!list.is_array() || list.size() < 2 || list.size() > 3)
    lifter.refuse("its mask is not a list of two or three", "call it with mask=[query_mask, value_mask]");
  for (std::size_t k = 0; k < 2; ++k) {
    const auto input = input_of(list[k]);
    if (!input) continue;
    settings["masks"].push_back(k == 0 ? "query" : "value");
    which.push_back(*input);
  }
  call.constants.erase(found);
}

// Query, key, value and masks as numbers of the node's inputs.
std::vector<std::size_t> inputs_of(Lifter& lifter, Json& settings) {
  if (lifter.is_torch()) {
    settings["masks"] = lifter.settings().has("_masks") ? lifter.settings().raw("_masks") : Json::array();
    settings["scores"] = lifter.settings().flag("_scores", false);
    std::vector<std::size_t> which;
    for (std::size_t k = 0; k < 3 + settings["masks"].size(); ++k) which.push_back(k);
    if (!lifter.weights_only() && lifter.input_count() != which.size())
      lifter.refuse("it is not called with query, key and value", "call it with the three");
    return which;
  }
  KerasCall call = keras_call(lifter, {"query", "value", "key"});
  settings["causal"] = call.take_flag(lifter, "use_causal_mask");
  settings["scores"] = call.take_flag(lifter, "return_attention_scores");
  if (!call.tensors.contains("query") || !call.tensors.contains("value"))
    throw malformed("attention needs a query and a value");
  const std::size_t value = call.tensors.at("value");
  std::vector<std::size_t> which{call.tensors.at("query"),
                                 call.tensors.contains("key") ? call.tensors.at("key") : value, value};
  add_masks(lifter, call, settings, which);
  call.expect_only(lifter, {"query", "value", "key"});
  return which;
}

void name_inputs(Lifter& lifter, const std::vector<std::size_t>& which, const Json& masks) {
  for (std::size_t k = 0; k < which.size(); ++k) {
    const Value& value = lifter.input(which[k]);
    const std::size_t rank = k < 3 ? 3 : 2;
    if (value.known && value.axes.size() != rank) {
      lifter.refuse("its inputs have " + std::to_string(value.axes.size()) + " axes",
                    "use inputs of batch, time and features, and masks of batch and time");
    }
    const bool of_query = k == 0 || (k > 2 && masks[k - 3] == "query");
    std::vector<std::string> names{"n", of_query ? "t" : "s", "f"};
    names.resize(rank);
    lifter.roles(which[k], names);
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
  if (name == torch_attention) {
    if (given.number("scale", 0) != 1) lifter.refuse("its scale is not 1", "use nn.MultiheadAttention");
    return {};
  }
  if (name == own_plain_attention) return {given.text("score", "dot"), given.has("scale_shape")};
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
       lifter.settings().flag(lifter.node().class_name == torch_attention ? "is_causal" : "causal", false)},
      {"masks", Json::array()}};
  const auto which = inputs_of(lifter, layer.settings);
  if (!lifter.weights_only()) {
    name_inputs(lifter, which, layer.settings["masks"]);
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

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  std::vector<Axes> outputs{{inputs[0].at(0), inputs[0].at(1), inputs.at(2).at(2)}};
  if (layer.settings["scores"].get<bool>())
    outputs.push_back({inputs[0][0], inputs[0][1], inputs.at(1).at(1)});
  return outputs;
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

bool forgotten_mask(Layer& layer, Framework, const std::vector<Axes>&) {
  auto& masks = layer.settings["masks"].get_ref<Json::array_t&>();
  const auto value = std::ranges::find(masks, "value");
  if (value == masks.end() || layer.inputs.size() != 3 + masks.size()) return false;
  layer.inputs.erase(layer.inputs.begin() + 3 + (value - masks.begin()));
  layer.orders.resize(layer.inputs.size());
  masks.erase(value);
  return true;
}

}  // namespace

LayerKind attention() {
  LayerKind kind;
  kind.name = "attention";
  kind.torch = exact({own_plain_attention, torch_attention});
  kind.keras = exact({"Attention", "AdditiveAttention"});
  kind.summary = "Attention of query (n t f) over key (n s f) and value (n s v), one head, no projections.";
  kind.sources = {"https://keras.io/api/layers/attention_layers/attention/",
                  "https://keras.io/api/layers/attention_layers/additive_attention/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = write_plain_attention;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1, 2}}; };
  kind.compute = compute_plain_attention;
  kind.fan_in = [](const Layer&) { return 64.0; };
  kind.mistakes = {{"forgotten_scale", "the learnt scale of the scores was left out", forgotten_scale},
                   {"causality", "one of the two hides later steps and the other does not", other_causality},
                   {"forgotten_mask", "the mask of the value was left out", forgotten_mask}};
  kind.cases = plain_attention_cases();
  return kind;
}

}  // namespace tieout::layers
