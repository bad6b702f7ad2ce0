#include "layers/layer_kind.h"

// Classes of both frameworks that compute nothing that could be carried: code of the user's, strings and
// hashes, losses, containers. Each is refused with its own reason.

namespace tieout::layers {

namespace {

void refuse(std::vector<ClassEntry>& entries, const std::string& reason,
            const std::vector<std::string>& names) {
  for (const auto& name : names) entries.push_back({name, Status::refused, reason});
}

std::vector<ClassEntry> keras() {
  std::vector<ClassEntry> all;
  refuse(all, "it holds Python code, which is never run; make a layer of Keras' own of it", {"Lambda"});
  refuse(all, "it holds a model of another framework, whose code is not in the file; carry that model itself",
         {"FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"});
  refuse(
      all,
      "it turns text or hashes into numbers, which PyTorch does not compute with; do this before the model, "
      "and give the model the numbers",
      {"HashedCrossing", "Hashing", "StringLookup", "TextVectorization"});
  refuse(all, "it holds layers of its own that it runs outside the model; put them into the model themselves",
         {"Pipeline"});
  refuse(all, "it is the base of other classes and computes nothing; use one of those", {"Layer", "Wrapper"});
  return all;
}

std::vector<ClassEntry> torch() {
  std::vector<ClassEntry> all;
  refuse(all, "it is a loss, which a network does not need to compute its output; leave it out of the module",
         {"BCELoss",
          "BCEWithLogitsLoss",
          "CTCLoss",
          "CosineEmbeddingLoss",
          "CrossEntropyLoss",
          "GaussianNLLLoss",
          "HingeEmbeddingLoss",
          "HuberLoss",
          "KLDivLoss",
          "L1Loss",
          "LinearCrossEntropyLoss",
          "MSELoss",
          "MarginRankingLoss",
          "MultiLabelMarginLoss",
          "MultiLabelSoftMarginLoss",
          "MultiMarginLoss",
          "NLLLoss",
          "NLLLoss2d",
          "PoissonNLLLoss",
          "SmoothL1Loss",
          "SoftMarginLoss",
          "TripletMarginLoss",
          "TripletMarginWithDistanceLoss"});
  refuse(all, "it computes a loss and needs the right answers as an input; carry its layers one by one",
         {"AdaptiveLogSoftmaxWithLoss"});
  refuse(all,
         "it has not seen an input yet and has no weights; call the module once before saving it, which "
         "makes it "
         "the class without Lazy",
         {"LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
          "LazyInstanceNorm3d"});
  refuse(
      all,
      "it holds modules or parameters, and does not say in what order they are called; use nn.Sequential, or "
      "carry the state_dict with --like",
      {"Container", "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"});
  refuse(all, "it spreads a module over several devices; save its .module instead",
         {"DataParallel", "torch.nn.parallel.data_parallel.DataParallel"});
  return all;
}

}  // namespace

LayerKind foreign() {
  LayerKind kind;
  kind.name = "foreign";
  kind.torch = torch();
  kind.keras = keras();
  kind.summary = "Classes that compute nothing that could be carried.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html", "https://keras.io/api/layers/"};
  return kind;
}

}  // namespace tieout::layers
