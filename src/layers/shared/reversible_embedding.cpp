#include "layers/shared/reversible_embedding.h"

namespace tieout {

namespace {

constexpr const char* own_source = R"PY(class ReversibleEmbedding(nn.Module):
    """Indices (N, ...) to rows of a table; with reverse, rows (N, ..., D) to logits."""

    def __init__(self, num_embeddings, embedding_dim, tied=True, soft_cap=None):
        super().__init__()
        shape = (num_embeddings, embedding_dim)
        self.soft_cap = soft_cap
        self.weight = nn.Parameter(0.05 * torch.randn(shape))
        self.reverse_weight = None if tied else nn.Parameter(0.05 * torch.randn(shape))

    def forward(self, x, reverse=False):
        if not reverse:
            return F.embedding(x, self.weight)
        tied = self.reverse_weight is None
        y = F.linear(x, self.weight if tied else self.reverse_weight)
        if self.soft_cap is not None:
            y = torch.tanh(y / self.soft_cap) * self.soft_cap
        return y
)PY";

}  // namespace

void write_reversible(Lowerer& lowerer, bool reverse) {
  const Json& s = lowerer.layer().settings;
  const bool tied = s["tied"].get<bool>();
  FrameworkNode node;
  if (lowerer.to_torch()) {
    node.class_name = own_reversible;
    node.definition = own_source;
    node.settings = {{"num_embeddings", s["rows"]}, {"embedding_dim", s["width"]}};
    if (!tied) node.settings["tied"] = false;
    if (!s["soft_cap"].is_null()) node.settings["soft_cap"] = s["soft_cap"];
    if (reverse) node.settings["_reverse"] = true;
    if (reverse) node.call = "{module}({0}, reverse=True)";
  } else {
    node.class_name = "ReversibleEmbedding";
    node.settings = {{"input_dim", s["rows"]}, {"output_dim", s["width"]}, {"tie_weights", tied}};
    if (!s["soft_cap"].is_null()) node.settings["logit_soft_cap"] = s["soft_cap"];
    if (reverse) node.settings["args"] = {{{"input", 0}}};
    if (reverse) node.settings["kwargs"] = {{"reverse", true}};
  }
  lowerer.add_node(std::move(node));
}

}  // namespace tieout
