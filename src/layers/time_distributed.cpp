#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "layers/layer_kind.h"
#include "layers/shared/time_steps.h"

// Keras' wrapper that applies a layer to each step of a sequence. A layer that acts on the last axis, or on
// each number on its own, is read as if it stood there itself. For any other, and for a model, each step is
// one more element of the batch: merge_time, the layers, split_time.

namespace tieout::layers {

namespace {

constexpr std::array<std::string_view, 16> of_each_number{"Dense",
                                                          "Activation",
                                                          "ReLU",
                                                          "LeakyReLU",
                                                          "ELU",
                                                          "Dropout",
                                                          "Identity",
                                                          "Rescaling",
                                                          "GaussianDropout",
                                                          "GaussianNoise",
                                                          "AlphaDropout",
                                                          "Embedding",
                                                          "ActivityRegularization",
                                                          "ThresholdedReLU",
                                                          "SpatialDropout1D",
                                                          "SpatialDropout2D"};

constexpr std::array<std::string_view, 4> of_last_axis{"LayerNormalization", "Softmax", "UnitNormalization",
                                                       "RMSNormalization"};

constexpr std::array<std::string_view, 8> with_mask{"LSTM",
                                                    "GRU",
                                                    "SimpleRNN",
                                                    "Bidirectional",
                                                    "RNN",
                                                    "TimeDistributed",
                                                    "MultiHeadAttention",
                                                    "GlobalAveragePooling1D"};

bool is_one_of(const auto& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool steps_do_not_matter(const std::string& class_name, const Json& config) {
  if (is_one_of(of_each_number, class_name)) return true;
  const Json axis = config.is_object() ? config.value("axis", Json(-1)) : Json(-1);
  return is_one_of(of_last_axis, class_name) && (axis == -1 || axis == Json::array({-1}));
}

// A wrapped model is written out by the format, between two nodes of the class.
void lift_part(Lifter& lifter, const std::string& part) {
  if (part == "split") {
    add_split_time(lifter, lifter.outputs().at(1), 1);
    return;
  }
  if (lifter.input_count() > 1)
    lifter.refuse("it hands a mask to the model that it wraps", "call it without a mask");
  add_merge_time(lifter, 1);
}

void lift(Lifter& lifter) {
  if (lifter.settings().has("part")) {
    lift_part(lifter, lifter.settings().text("part", ""));
    return;
  }
  const Json& wrapped = lifter.settings().raw("layer");
  const bool named =
      wrapped.is_object() && wrapped.contains("class_name") && wrapped["class_name"].is_string();
  const std::string class_name = named ? wrapped["class_name"].get<std::string>() : "";
  if (lifter.input_count() > 1 && is_one_of(with_mask, class_name)) {
    lifter.refuse("it hands a mask to the " + class_name + " that it wraps", "call it without a mask");
  }
  const Json config = named ? wrapped.value("config", Json::object()) : Json::object();
  if (lifter.weights_only() || steps_do_not_matter(class_name, config)) {
    lifter.add_wrapped(wrapped, "layer/");
    return;
  }
  const int x = lifter.outputs().at(0);
  add_merge_time(lifter, 1);
  lifter.add_wrapped(wrapped, "layer/");
  add_split_time(lifter, x, 1);
}

Json layer(const std::string& class_name, const Json& config) {
  return {{"layer",
           {{"module", "keras.layers"},
            {"class_name", class_name},
            {"config", config},
            {"registered_name", nullptr}}}};
}

Json wrapped_model() {
  const auto inside = [](const std::string& class_name, const Json& config) {
    return layer(class_name, config)["layer"];
  };
  const Json layers = {
      inside("InputLayer", {{"batch_shape", {nullptr, 6, 5, 2}}, {"name", "frame"}}),
      inside("Conv2D", {{"filters", 4}, {"kernel_size", {3, 2}}, {"activation", "relu"}, {"name", "conv"}}),
      inside("BatchNormalization", {{"name", "norm"}}),
      inside("MaxPooling2D", {{"pool_size", 2}, {"name", "pool"}}),
      inside("Flatten", {{"name", "flat"}}),
      inside("Dense", {{"units", 3}, {"name", "dense"}})};
  Json model = layer("Sequential", {{"name", "each"}, {"layers", layers}});
  model["layer"]["module"] = "keras";
  return model;
}

std::vector<Case> cases() {
  const auto make = [](const std::string& name, const Json& settings, const Shape& shape) {
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = "TimeDistributed",
                .settings = settings,
                .input_shapes = {shape}};
  };
  return {
      make("Dense, activation", layer("Dense", {{"units", 5}, {"activation", "relu"}}), {2, 4, 3}),
      make("Dense, image", layer("Dense", {{"units", 5}}), {2, 3, 4, 5, 2}),
      make("LayerNormalization", layer("LayerNormalization", Json::object()), {2, 4, 3}),
      make("Conv2D, same, strides",
           layer("Conv2D", {{"filters", 4},
                            {"kernel_size", {3, 2}},
                            {"padding", "same"},
                            {"strides", 2},
                            {"activation", "tanh"}}),
           {2, 3, 6, 5, 2}),
      make("Conv1D", layer("Conv1D", {{"filters", 4}, {"kernel_size", 2}}), {2, 3, 5, 2}),
      make("BatchNormalization", layer("BatchNormalization", Json::object()), {2, 3, 4, 5, 2}),
      make("MaxPooling2D", layer("MaxPooling2D", {{"pool_size", 2}}), {2, 3, 6, 5, 2}),
      make("Flatten", layer("Flatten", Json::object()), {2, 3, 4, 5, 2}),
      make("LSTM", layer("LSTM", {{"units", 5}}), {2, 3, 4, 2}),
      make("Sequential", wrapped_model(), {2, 3, 6, 5, 2}),
  };
}

}  // namespace

LayerKind time_distributed() {
  LayerKind kind;
  kind.name = "time_distributed";
  kind.keras = {{"TimeDistributed", Status::composed,
                 "the layer itself where it acts on the last axis or on each number; otherwise the steps are "
                 "merged into the batch before it and split off after it; a model alike"}};
  kind.summary = "Applies a layer to each step of x (n t ...).";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/time_distributed/"};
  kind.lift = lift;
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
