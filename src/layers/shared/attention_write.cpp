#include "layers/shared/attention.h"

namespace tieout {

namespace {

constexpr const char* own_attention_source = R"PY(class MultiHeadAttention(nn.Module):
    """Attention of query (N, T, .) over key and value (N, S, .) in heads of any width.

    Several heads of the query may share one of key and value. mask (N, T, S) is True
    where the query may look; causal hides later steps, window those that far away. Where
    all are hidden y is the mean of the values, or 0 with dropout, as in Keras.
    """

    def __init__(
        self,
        query_dim,
        key_dim,
        value_dim,
        output_dim,
        num_heads,
        head_dim,
        value_head_dim,
        num_key_value_heads=None,
        bias=True,
        gate=False,
        causal=False,
        window=None,
        dropout=0.0,
    ):
        super().__init__()
        self.num_heads = num_heads
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.causal = causal
        self.window = window
        self.dropout = dropout
        width = num_heads * value_head_dim
        self.q_proj = nn.Linear(query_dim, num_heads * head_dim, bias=bias)
        self.k_proj = nn.Linear(key_dim, self.num_key_value_heads * head_dim, bias=bias)
        self.v_proj = nn.Linear(
            value_dim, self.num_key_value_heads * value_head_dim, bias=bias
        )
        self.gate_proj = nn.Linear(query_dim, width, bias=bias) if gate else None
        self.out_proj = nn.Linear(width, output_dim, bias=bias)

    def forward(self, query, key, value, mask=None, weights_too=False):
        shared = self.num_heads // self.num_key_value_heads
        q = self.heads(self.q_proj(query), self.num_heads)
        k = self.heads(self.k_proj(key), self.num_key_value_heads)
        v = self.heads(self.v_proj(value), self.num_key_value_heads)
        k = k.repeat_interleave(shared, dim=1)
        v = v.repeat_interleave(shared, dim=1)
        hidden, bias = self.hidden(q, k, mask)
        if self.dropout or weights_too:
            scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
            weights = (scores if bias is None else scores + bias).softmax(-1)
            if hidden is not None:
                weights = weights.masked_fill(hidden, 0.0)
            y = F.dropout(weights, self.dropout, self.training) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        y = y.transpose(1, 2).flatten(2)
        if self.gate_proj is not None:
            y = y * torch.sigmoid(self.gate_proj(query))
        y = self.out_proj(y)
        return (y, weights) if weights_too else y

    def heads(self, x, count):
        return x.unflatten(-1, (count, -1)).transpose(1, 2)

    def hidden(self, q, k, mask):
        """Where the query may not look, and what hides it when added to the scores."""
        if self.causal or self.window is not None:
            steps = torch.arange(q.shape[2], device=q.device)
            ahead = torch.arange(k.shape[2], device=q.device) - steps[:, None]
            near = ahead <= 0 if self.causal else torch.ones_like(ahead).bool()
            if self.window is not None:
                near = near & (ahead.abs() < self.window)
            mask = near if mask is None else near & mask.bool()
        if mask is None:
            return None, None
        hidden = ~mask.bool().unsqueeze(-3)
        lowest = -0.7 * torch.finfo(q.dtype).max
        return hidden, q.new_zeros(hidden.shape).masked_fill(hidden, lowest)
)PY";

bool is_plain(const Json& s) {
  return s["key_value_heads"] == s["heads"] && !s["causal"].get<bool>() && s["window"].is_null() &&
         !s["gate"].get<bool>();
}

// What nn.MultiheadAttention has: heads as wide as fit into the query's features.
bool fits_torch(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const std::int64_t features = lowerer.axes(0).back().size;
  return is_plain(s) && lowerer.inputs().size() == 3 &&
         s["heads"].get<std::int64_t>() * s["key_dim"].get<std::int64_t>() == features &&
         s["value_dim"] == s["key_dim"] && s["output"] == features;
}

void write_torch(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const std::int64_t features = lowerer.axes(0).back().size;
  const bool has_bias = lowerer.stores("query_bias");
  const bool scores = s["scores"].get<bool>();
  if (fits_torch(lowerer)) {
    Json made = {{"embed_dim", features}, {"num_heads", s["heads"]}, {"batch_first", true}};
    if (!has_bias) made["bias"] = false;
    if (lowerer.axes(1).back().size != features) made["kdim"] = lowerer.axes(1).back().size;
    if (lowerer.axes(2).back().size != features) made["vdim"] = lowerer.axes(2).back().size;
    if (s["dropout"] > 0) made["dropout"] = s["dropout"];
    if (scores) {
      made["_scores"] = true;
      made["_outputs"] = {"[0]", "[1]"};
      lowerer.add("MultiheadAttention", made, "{module}({0}, {1}, {2}, average_attn_weights=False)");
    } else {
      lowerer.add("MultiheadAttention", made, "{module}({0}, {1}, {2}, need_weights=False)[0]");
    }
    return;
  }
  FrameworkNode node;
  node.class_name = own_attention;
  node.definition = own_attention_source;
  node.settings = {{"query_dim", features},
                   {"key_dim", lowerer.axes(1).back().size},
                   {"value_dim", lowerer.axes(2).back().size},
                   {"output_dim", s["output"]},
                   {"num_heads", s["heads"]},
                   {"head_dim", s["key_dim"]},
                   {"value_head_dim", s["value_dim"]}};
  if (s["key_value_heads"] != s["heads"]) node.settings["num_key_value_heads"] = s["key_value_heads"];
  if (!has_bias) node.settings["bias"] = false;
  if (s["gate"].get<bool>()) node.settings["gate"] = true;
  if (s["causal"].get<bool>()) node.settings["causal"] = true;
  if (!s["window"].is_null()) node.settings["window"] = s["window"];
  if (s["dropout"] > 0) node.settings["dropout"] = s["dropout"];
  if (scores) {
    node.settings["_scores"] = true;
    node.settings["_outputs"] = {"[0]", "[1]"};
    node.call = lowerer.inputs().size() > 3 ? "{module}({0}, {1}, {2}, {3}, weights_too=True)"
                                            : "{module}({0}, {1}, {2}, weights_too=True)";
  }
  lowerer.add_node(std::move(node));
}

// Keras' call takes query, value, key.
void write_keras_call(Lowerer& lowerer, FrameworkNode& node) {
  const auto& inputs = lowerer.inputs();
  node.inputs = {{inputs.at(0), {}}, {inputs.at(2), {}}};
  Json kwargs = Json::object();
  const auto add = [&](const std::string& keyword, const ValueRef& value) {
    kwargs[keyword] = {{"input", node.inputs.size()}};
    node.inputs.push_back({value, keyword});
  };
  if (!(inputs.at(1) == inputs.at(2))) add("key", inputs[1]);
  if (inputs.size() > 3) add("attention_mask", inputs[3]);
  const Json& s = lowerer.layer().settings;
  if (!s["causal"].get<bool>() && !s["scores"].get<bool>()) return;
  if (s["causal"].get<bool>()) kwargs["use_causal_mask"] = true;
  if (s["scores"].get<bool>()) kwargs["return_attention_scores"] = true;
  node.settings["args"] = {{{"input", 0}}, {{"input", 1}}};
  node.settings["kwargs"] = kwargs;
}

void write_keras(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  FrameworkNode node;
  if (s["key_value_heads"] == s["heads"]) {
    node.class_name = "MultiHeadAttention";
    node.settings = {{"num_heads", s["heads"]}, {"key_dim", s["key_dim"]}, {"value_dim", s["value_dim"]}};
    if (s["output"] != lowerer.axes(0).back().size) node.settings["output_shape"] = {s["output"]};
  } else {
    const std::int64_t features = lowerer.axes(0).back().size;
    if (s["value_dim"] != s["key_dim"] || s["output"] != features ||
        lowerer.axes(2).back().size != features) {
      lowerer.refuse(
          "Keras' GroupedQueryAttention has one width for keys and values, and the query's features"
          " as output",
          "use one width and no output_dim, or as many key and value heads as query heads");
    }
    node.class_name = "GroupQueryAttention";
    node.settings = {{"num_query_heads", s["heads"]},
                     {"num_key_value_heads", s["key_value_heads"]},
                     {"head_dim", s["key_dim"]}};
  }
  node.settings["use_bias"] = lowerer.stores("query_bias");
  if (s["gate"].get<bool>()) node.settings["use_gate"] = true;
  if (!s["window"].is_null()) node.settings["sliding_window"] = s["window"];
  if (s["dropout"] > 0) node.settings["dropout"] = s["dropout"];
  write_keras_call(lowerer, node);
  lowerer.add_node(std::move(node));
}

}  // namespace

void write_attention(Lowerer& lowerer) {
  lowerer.to_torch() ? write_torch(lowerer) : write_keras(lowerer);
}

}  // namespace tieout
