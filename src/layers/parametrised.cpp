#include <algorithm>
#include <array>

#include "layers/layer_kind.h"

// PyTorch's weight_norm and spectral_norm store in the place of a weight what it is computed from. Where that
// can be done (src/convert/constraints), the node has become one of the layer's own class; what is left is
// refused here.

namespace tieout::layers {

namespace {

constexpr const char* way_out =
    "before saving, call torch.nn.utils.parametrize.remove_parametrizations(layer, \"weight\"), or for the "
    "old "
    "functions torch.nn.utils.remove_weight_norm(layer) or remove_spectral_norm(layer)";

std::vector<ClassEntry> classes() {
  std::vector<ClassEntry> all;
  for (const std::string hook : {"weight_norm.WeightNorm", "spectral_norm.SpectralNorm"}) {
    for (const auto* layer : {"Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d",
                              "ConvTranspose3d", "Embedding"}) {
      all.push_back({layer + (" with torch.nn.utils." + hook), Status::composed,
                     std::string("becomes a plain ") + layer +
                         ", its weight computed once: equal in inference, not in training"});
    }
  }
  return all;
}

// torch/nn/utils/{weight_norm,spectral_norm,parametrizations}.py
std::optional<FrameworkNode> recognise(Framework framework,
                                       const std::vector<std::pair<std::string, Shape>>& tensors) {
  if (framework == Framework::keras) return std::nullopt;
  constexpr std::array<std::string_view, 8> names = {"weight_g",  "weight_v",  "weight_orig", "weight_u",
                                                     "original0", "original1", "original",    "_u"};
  const bool has = std::ranges::any_of(tensors, [&](const auto& tensor) {
    const std::string_view name = tensor.first;
    return std::ranges::find(names, name.substr(name.rfind('.') + 1)) != names.end();
  });
  if (!has) return std::nullopt;
  FrameworkNode node;
  node.settings = Json::object();
  return node;
}

}  // namespace

LayerKind parametrised() {
  LayerKind kind;
  kind.name = "parametrised";
  kind.torch = classes();
  kind.summary = "A layer whose weight is computed from others: weight_norm, spectral_norm.";
  kind.sources = {
      "https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html",
      "https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html"};
  kind.lift = [](Lifter& lifter) {
    lifter.refuse(
        "its tensors are those that weight_norm or spectral_norm computes a weight from, but do not tell "
        "which",
        way_out);
  };
  kind.recognise = recognise;
  return kind;
}

}  // namespace tieout::layers
