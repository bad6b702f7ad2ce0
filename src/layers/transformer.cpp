#include "layers/layer_kind.h"

// PyTorch's transformer classes. A pickled one is read as its parts (src/formats/torch_pt/transformers.h), so
// no layer of this kind is ever made: here stand the classes and their tests.

namespace tieout::layers {

namespace {

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const std::string& class_name, Json settings,
                       std::vector<Shape> shapes) {
    settings["d_model"] = 8;
    settings["nhead"] = 2;
    settings["dim_feedforward"] = 6;
    Case test;
    test.name = name;
    test.framework = Framework::torch;
    test.class_name = class_name;
    test.settings = std::move(settings);
    test.input_shapes = std::move(shapes);
    return test;
  };
  std::vector<Case> all = {
      made("batch first", "TransformerEncoderLayer", {{"batch_first", true}}, {{2, 5, 8}}),
      made("defaults (time first)", "TransformerEncoderLayer", Json::object(), {{5, 2, 8}}),
      made("norm first, no bias", "TransformerEncoderLayer",
           {{"batch_first", true}, {"norm_first", true}, {"bias", false}}, {{2, 5, 8}}),
      made("gelu, other epsilon", "TransformerEncoderLayer",
           {{"batch_first", true}, {"activation", "gelu"}, {"layer_norm_eps", 0.01}}, {{2, 5, 8}}),
      made("batch first", "TransformerDecoderLayer", {{"batch_first", true}}, {{2, 5, 8}, {2, 3, 8}}),
      made("defaults (time first)", "TransformerDecoderLayer", Json::object(), {{5, 2, 8}, {3, 2, 8}}),
      made("norm first, gelu", "TransformerDecoderLayer",
           {{"batch_first", true}, {"norm_first", true}, {"activation", "gelu"}}, {{2, 5, 8}, {2, 3, 8}}),
      made("two of each, batch first", "Transformer",
           {{"batch_first", true}, {"num_encoder_layers", 2}, {"num_decoder_layers", 2}},
           {{2, 5, 8}, {2, 3, 8}}),
      made("one of each, norm first", "Transformer",
           {{"num_encoder_layers", 1}, {"num_decoder_layers", 1}, {"norm_first", true}},
           {{5, 2, 8}, {3, 2, 8}})};
  for (auto& test : all) {
    test.keras_rounds_to_float32 = test.settings.value("activation", std::string()) == "gelu";
  }
  // A case has no modules among its settings, as TransformerEncoder and TransformerDecoder take: those of
  // nn.Transformer are these.
  return all;
}

}  // namespace

LayerKind transformer() {
  LayerKind kind;
  kind.name = "transformer";
  const std::string parts = "of MultiHeadAttention, LayerNormalization, Dense, Activation and Add";
  for (const char* name : {"TransformerEncoderLayer", "TransformerEncoder", "TransformerDecoderLayer",
                           "TransformerDecoder", "Transformer"}) {
    kind.torch.push_back({name, Status::composed, parts});
  }
  kind.summary = "Attention and two dense layers, each with a sum and a normalisation; or a stack of these.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html",
                  "https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html",
                  "https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html"};
  kind.lift = [](Lifter& lifter) {
    lifter.refuse("it is not called with as many inputs as it takes",
                  "save it by itself rather than inside an nn.Sequential");
  };
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
