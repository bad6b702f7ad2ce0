#include "layers/shared/elementwise.h"
#include "layers/shared/outputs.h"

#include "base/parallel.h"

namespace tieout {

LayerKind elementwise_kind(const Elementwise& form) {
  LayerKind kind;
  kind.name = form.name;
  kind.torch = form.torch;
  kind.keras = form.keras;
  kind.summary = form.summary;
  kind.sources = {
      "https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity",
      "https://keras.io/api/layers/activations/"};
  kind.lift = [form](Lifter& lifter) {
    Layer layer = lifter.layer(form.name);
    if (form.read) layer.settings = form.read(lifter);
    lifter.add(std::move(layer));
  };
  kind.lower = form.write;
  kind.compute = [function = form.function](const Evaluation& e) {
    Array y = *e.inputs[0];
    function(y.data, e.layer.settings);
    return std::vector<Array>{y};
  };
  const NumberFunction fast = form.fast_function ? form.fast_function : form.function;
  kind.compute_fast = [fast](const Evaluation& e) -> std::optional<std::vector<Array>> {
    // Each number for itself, wherever it lies.
    const auto& order = e.layer.orders;
    if (!order.empty() && order[0] != e.layer.output_order) return std::nullopt;
    Array y = e.take(0);
    parallel_for(static_cast<std::int64_t>(y.count()), 4096, [&](std::int64_t first, std::int64_t last) {
      fast({y.data.data() + first, y.data.data() + last}, e.layer.settings);
    });
    return one_output(std::move(y));
  };
  kind.absorbs_flatten = true;
  return kind;
}

std::function<void(Lowerer&)> write_plain(const std::string& torch_class,
                                          const std::string& keras_activation) {
  return [=](Lowerer& lowerer) {
    if (lowerer.to_torch()) {
      lowerer.add(torch_class, Json::object());
    } else {
      lowerer.add("Activation", {{"activation", keras_activation}});
    }
  };
}

std::vector<ClassEntry> exact(const std::vector<std::string>& names) {
  std::vector<ClassEntry> entries;
  for (const auto& name : names) entries.push_back({name, Status::exact, ""});
  return entries;
}

Case torch_case(const std::string& name, const std::string& class_name, const Json& settings,
                const Shape& input) {
  Case made;
  made.name = name;
  made.framework = Framework::torch;
  made.class_name = class_name;
  made.settings = settings;
  made.input_shapes = {input};
  return made;
}

Case keras_case(const std::string& name, const std::string& class_name, const Json& settings,
                const Shape& input) {
  Case made = torch_case(name, class_name, settings, input);
  made.framework = Framework::keras;
  return made;
}

std::vector<Case> plain_cases(const std::string& torch_class, const std::string& keras_activation) {
  return {torch_case("image", torch_class, Json::object(), {2, 3, 4, 5}),
          torch_case("vector", torch_class, Json::object(), {3, 7}),
          keras_case("image", "Activation", {{"activation", keras_activation}}, {2, 4, 5, 3}),
          keras_case("sequence", "Activation", {{"activation", keras_activation}}, {2, 5, 3})};
}

Mistake wrong_setting(const std::string& name, const std::string& message, const std::string& setting,
                      const Json& torch_value, const Json& keras_value) {
  const auto mutate = [=](Layer& layer, Framework framework, const std::vector<Axes>&) {
    const Json& wrong = framework == Framework::torch ? torch_value : keras_value;
    if (layer.settings.at(setting) == wrong) return false;
    layer.settings[setting] = wrong;
    return true;
  };
  return {name, message, mutate};
}

}  // namespace tieout
