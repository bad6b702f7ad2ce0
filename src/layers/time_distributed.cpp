#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "layers/layer_kind.h"

// Keras' wrapper that applies a layer to each step of a sequence. A layer that acts on the last axis, or on
// each number on its own, is read as if it stood there itself. For any other, each step is one more element
// of the batch: merge_time, the layer, split_time.

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

void lift(Lifter& lifter) {
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
  Layer merge = lifter.layer("merge_time");
  const int x = merge.inputs.at(0);
  merge.inputs.resize(1);
  merge.settings = {{"time", 1}};
  // Not "t": the wrapped layer may have a time axis of its own, or be another wrapper.
  std::string step = "step";
  const auto taken = [&] {
    return std::ranges::find(lifter.input().axes, step, &Axis::name) != lifter.input().axes.end();
  };
  while (taken()) step += "s";
  std::vector<std::string> names{"n", step};
  for (std::size_t k = 2; k < lifter.input().axes.size(); ++k) names.push_back(lifter.input().axes[k].name);
  if (!lifter.input().known || names.size() != lifter.input().axes.size() || names.size() < 3)
    lifter.refuse("the rank of its input is not known", "give the model's input shape with --input-shape");
  lifter.roles(0, names);
  lifter.add(std::move(merge));
  lifter.add_wrapped(wrapped, "layer/");
  Layer split = lifter.layer("split_time");
  split.inputs = {split.inputs.at(0), x};
  split.settings = {{"time", 1}};
  lifter.add(std::move(split));
}

Json layer(const std::string& class_name, const Json& config) {
  return {{"layer",
           {{"module", "keras.layers"},
            {"class_name", class_name},
            {"config", config},
            {"registered_name", nullptr}}}};
}

}  // namespace

LayerKind time_distributed() {
  LayerKind kind;
  kind.name = "time_distributed";
  kind.keras = {{"TimeDistributed", Status::composed,
                 "the layer itself where it acts on the last axis or on each number; otherwise the steps are "
                 "merged into the batch before it and split off after it"}};
  kind.summary = "Applies a layer to each step of x (n t ...).";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/time_distributed/"};
  kind.lift = lift;
  const auto make = [](const std::string& name, const Json& settings, const Shape& shape, bool back_refuses) {
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = "TimeDistributed",
                .settings = settings,
                .input_shapes = {shape},
                .back_refuses = back_refuses};
  };
  kind.cases = {
      make("Dense, activation", layer("Dense", {{"units", 5}, {"activation", "relu"}}), {2, 4, 3}, false),
      make("Dense, image", layer("Dense", {{"units", 5}}), {2, 3, 4, 5, 2}, false),
      make("LayerNormalization", layer("LayerNormalization", Json::object()), {2, 4, 3}, false),
      make("Conv2D, same, strides",
           layer("Conv2D", {{"filters", 4},
                            {"kernel_size", {3, 2}},
                            {"padding", "same"},
                            {"strides", 2},
                            {"activation", "tanh"}}),
           {2, 3, 6, 5, 2}, true),
      make("Conv1D", layer("Conv1D", {{"filters", 4}, {"kernel_size", 2}}), {2, 3, 5, 2}, true),
      make("BatchNormalization", layer("BatchNormalization", Json::object()), {2, 3, 4, 5, 2}, true),
      make("MaxPooling2D", layer("MaxPooling2D", {{"pool_size", 2}}), {2, 3, 6, 5, 2}, true),
      make("Flatten", layer("Flatten", Json::object()), {2, 3, 4, 5, 2}, true),
      make("LSTM", layer("LSTM", {{"units", 5}}), {2, 3, 4, 2}, true),
  };
  return kind;
}

}  // namespace tieout::layers
