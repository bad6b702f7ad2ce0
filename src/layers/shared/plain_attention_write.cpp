#include "layers/shared/plain_attention.h"

#include <string>
#include <utility>

namespace tieout {

namespace {

constexpr const char* own_source = R"PY(class Attention(nn.Module):
    """Attention of query (N, T, D) over key (N, S, D) and value (N, S, V), one head.

    score "dot": scale * query . key; "concat": weight * sum(tanh(scale * (query + key)));
    "additive": sum(scale * tanh(query + key)) with a scale for each of the D.
    value_mask (N, S) is True where the query may look; y is 0 where query_mask (N, T)
    is not.
    """

    def __init__(self, score="dot", scale_shape=None, causal=False):
        super().__init__()
        self.score = score
        self.causal = causal
        learns = scale_shape is not None
        self.scale = nn.Parameter(torch.ones(scale_shape)) if learns else None
        self.weight = nn.Parameter(torch.ones(())) if score == "concat" else None

    def forward(
        self, query, key, value, query_mask=None, value_mask=None, weights_too=False
    ):
        scores = self.scores(query, key)
        hidden = torch.zeros_like(scores, dtype=torch.bool)
        if self.causal:
            hidden = torch.ones_like(hidden).triu(1)
        if value_mask is not None:
            hidden = hidden | ~value_mask.bool().unsqueeze(-2)
        scores = torch.where(hidden, scores - 1e9, scores)
        weights = scores.softmax(-1)
        y = weights @ value
        if query_mask is not None:
            y = torch.where(query_mask.bool().unsqueeze(-1), y, 0.0)
        return (y, weights) if weights_too else y

    def scores(self, query, key):
        scale = 1.0 if self.scale is None else self.scale
        if self.score == "dot":
            return query @ key.transpose(-2, -1) * scale
        pairs = query.unsqueeze(-2) + key.unsqueeze(-3)
        if self.score == "concat":
            return self.weight * torch.tanh(scale * pairs).sum(-1)
        return (scale * torch.tanh(pairs)).sum(-1)
)PY";

void write_torch(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const bool causal = s["causal"].get<bool>();
  FrameworkNode node;
  if (s["score"] == "dot" && !lowerer.stores("scale") && s["masks"].empty() && !s["scores"].get<bool>()) {
    node.class_name = torch_attention;
    node.settings = {{"scale", 1.0}, {"is_causal", causal}};
    node.call = std::string("F.scaled_dot_product_attention({0}, {1}, {2}, ") +
                (causal ? "is_causal=True, " : "") + "scale=1.0)";
    lowerer.add_node(std::move(node));
    return;
  }
  node.class_name = own_plain_attention;
  node.definition = own_source;
  node.settings = {{"score", s["score"]}};
  if (lowerer.stores("scale")) {
    node.settings["scale_shape"] = Json::array();
    if (s["score"] == "additive") node.settings["scale_shape"].push_back(lowerer.axes(0).back().size);
  }
  if (causal) node.settings["causal"] = true;
  node.call = "{module}({0}, {1}, {2}";
  for (std::size_t k = 0; k < s["masks"].size(); ++k)
    node.call += ", " + s["masks"][k].get<std::string>() + "_mask={" + std::to_string(3 + k) + "}";
  node.settings["_masks"] = s["masks"];
  if (s["scores"].get<bool>()) {
    node.settings["_scores"] = true;
    node.settings["_outputs"] = {"[0]", "[1]"};
    node.call += ", weights_too=True";
  }
  node.call += ")";
  lowerer.add_node(std::move(node));
}

// The call's arguments, where it passes more than the tensors of the list.
void write_keras_call(Lowerer& lowerer, FrameworkNode& node) {
  const Json& s = lowerer.layer().settings;
  Json list = Json::array();
  for (std::size_t k = 0; k < node.inputs.size(); ++k) list.push_back({{"input", k}});
  Json kwargs = Json::object();
  if (!s["masks"].empty()) {
    Json masks = {nullptr, nullptr};
    for (std::size_t k = 0; k < s["masks"].size(); ++k) {
      masks[s["masks"][k] == "query" ? 0 : 1] = {{"input", node.inputs.size()}};
      node.inputs.push_back({lowerer.inputs().at(3 + k), "mask"});
    }
    kwargs["mask"] = masks;
  }
  if (s["causal"].get<bool>()) kwargs["use_causal_mask"] = true;
  if (s["scores"].get<bool>()) kwargs["return_attention_scores"] = true;
  if (kwargs.empty()) return;
  node.settings["args"] = Json::array({list});
  node.settings["kwargs"] = kwargs;
}

void write_keras(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  FrameworkNode node;
  node.class_name = s["score"] == "additive" ? "AdditiveAttention" : "Attention";
  node.settings = {{"use_scale", lowerer.stores("scale")}};
  if (s["score"] == "concat") node.settings["score_mode"] = "concat";
  const auto& inputs = lowerer.inputs();
  node.inputs = {{inputs.at(0), {}}, {inputs.at(2), {}}};
  if (!(inputs.at(1) == inputs.at(2))) node.inputs.push_back({inputs[1], {}});
  node.inputs_as_list = true;
  write_keras_call(lowerer, node);
  lowerer.add_node(std::move(node));
}

}  // namespace

void write_plain_attention(Lowerer& lowerer) {
  lowerer.to_torch() ? write_torch(lowerer) : write_keras(lowerer);
}

std::vector<Case> plain_attention_cases() {
  const auto made = [](const std::string& name, const std::string& class_name, const Json& settings,
                       const std::vector<Shape>& shapes) {
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = class_name,
                .settings = settings,
                .input_shapes = shapes};
  };
  // Masks of query and value, or of the value alone.
  const auto masked = [&](const std::string& name, const std::string& class_name, const Json& settings,
                          bool of_query) {
    const Json value_mask = {{"input", of_query ? 4 : 3}};
    Json all = settings;
    all["call"]["mask"] = Json::array({of_query ? Json{{"input", 3}} : Json(), value_mask});
    std::vector<Shape> shapes = {{3, 5, 4}, {3, 7, 6}, {3, 7, 4}};
    if (of_query) shapes.push_back({3, 5});
    shapes.push_back({3, 7});
    Case test = made(name, class_name, all, shapes);
    test.inputs = "normal,normal,normal,boolean";
    return test;
  };
  const std::vector<Shape> two = {{2, 5, 4}, {2, 3, 4}};
  const std::vector<Shape> three = {{2, 5, 4}, {2, 3, 6}, {2, 3, 4}};
  const Json causal = {{"use_causal_mask", true}};
  return {
      made("query and value", "Attention", Json::object(), two),
      made("query, value and key", "Attention", Json::object(), three),
      made("causal", "Attention", {{"call", causal}}, two),
      made("scale", "Attention", {{"use_scale", true}}, three),
      made("scale, causal", "Attention", {{"use_scale", true}, {"call", causal}}, three),
      made("concat", "Attention", {{"score_mode", "concat"}}, three),
      made("concat, scale", "Attention", {{"score_mode", "concat"}, {"use_scale", true}}, two),
      made("default", "AdditiveAttention", Json::object(), three),
      made("no scale", "AdditiveAttention", {{"use_scale", false}}, two),
      made("causal", "AdditiveAttention", {{"call", causal}}, two),
      masked("masks of query and value", "Attention", {{"use_scale", true}}, true),
      masked("mask of the value, causal", "Attention", {{"call", causal}}, false),
      masked("mask of the value, concat", "Attention", {{"score_mode", "concat"}}, false),
      masked("masks of query and value", "AdditiveAttention", Json::object(), true),
      made("scores", "Attention", {{"call", {{"return_attention_scores", true}}}}, three),
      masked("scores, masks", "AdditiveAttention", {{"call", {{"return_attention_scores", true}}}}, true)};
}

}  // namespace tieout
