#include "verify/witness.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tieout/error.h"
#include "verify/child_witness.h"
#include "verify/interpreter.h"
#include "verify/probe.h"

namespace tieout {

namespace {

class InterpreterWitness final : public Witness {
 public:
  InterpreterWitness(const Model& model, const FrameworkModel& file, bool plain)
      : model_(model), file_(file), plain_(plain) {}
  [[nodiscard]] std::string name() const override { return plain_ ? "plain" : "interpreter"; }
  void run(const std::vector<std::vector<Array>>& probes) override { probes_ = probes; }
  // Computed when asked for.
  [[nodiscard]] std::unique_ptr<ProbeValues> values(std::size_t probe,
                                                    const std::set<int>& wanted) const override {
    return std::make_unique<Interpretation>(model_, file_, probes_.at(probe),
                                            InterpretOptions{.keep = &wanted, .plain = plain_});
  }

 private:
  const Model& model_;
  const FrameworkModel& file_;
  bool plain_;
  std::vector<std::vector<Array>> probes_;
};

// Evidence tells outputs by number and layers by name.
class EvidenceWitness final : public Witness {
 public:
  EvidenceWitness(const WitnessSpec& spec, const Model& model) : spec_(spec), model_(model) {}
  [[nodiscard]] std::string name() const override { return spec_.file; }

  void run(const std::vector<std::vector<Array>>& probes) override {
    if (probes.size() != 1) {
      throw WitnessFailure{
          "the evidence " + spec_.file + " was recorded for one set of inputs, which it does not hold",
          "give the inputs it was recorded with, with --probe"};
    }
    inputs_ = probes[0];
    for (const auto& tensor : spec_.evidence) {
      if (tensor.name.starts_with("output/") && tensor.tensor.dtype != DType::f64) float64_ = false;
    }
  }
  [[nodiscard]] bool is_float64() const override { return float64_; }

  [[nodiscard]] std::unique_ptr<ProbeValues> values(std::size_t, const std::set<int>&) const override {
    std::vector<std::optional<Array>> all(model_.values.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      all[static_cast<std::size_t>(model_.inputs[i])] = inputs_[i];
    for (const auto& layer : model_.layers) {
      if (layer.outputs.empty() || !model_.is_observable(layer.outputs[0])) continue;
      all[static_cast<std::size_t>(layer.outputs[0])] = find("layer/" + layer.name);
    }
    for (std::size_t i = 0; i < model_.outputs.size(); ++i) {
      auto output = find("output/" + std::to_string(i));
      if (output) all[static_cast<std::size_t>(model_.outputs[i])] = std::move(output);
    }
    return recorded_values(std::move(all));
  }

 private:
  [[nodiscard]] std::optional<Array> find(const std::string& name) const {
    const auto found = std::ranges::find(spec_.evidence, name, &NamedTensor::name);
    return found == spec_.evidence.end() ? std::nullopt : std::optional(to_array(found->tensor));
  }

  WitnessSpec spec_;
  const Model& model_;
  std::vector<Array> inputs_;
  bool float64_ = true;
};

// The value that a layer of this name ends with, -1 when there is none.
int value_named(const Model& model, const std::string& name) {
  int value = -1;
  for (const auto& layer : model.layers) {
    if (layer.name == name && !layer.outputs.empty() && model.is_observable(layer.outputs[0]))
      value = layer.outputs[0];
  }
  return value;
}

// What record() asks for, in order: names and values.
std::vector<std::pair<std::string, int>> recorded_values_of(const Model& model, const FrameworkModel& file,
                                                            const std::vector<std::string>& layers) {
  std::vector<std::pair<std::string, int>> all;
  for (std::size_t i = 0; i < model.inputs.size(); ++i)
    all.emplace_back("input/" + std::to_string(i), model.inputs[i]);
  for (std::size_t i = 0; i < model.outputs.size(); ++i)
    all.emplace_back("output/" + std::to_string(i), model.outputs[i]);
  for (const auto& name : layers) {
    all.emplace_back("layer/" + name, value_named(model, name));
    if (all.back().second < 0) {
      throw usage_error("no layer of " + file.file + " is called " + name,
                        "see `tieout inspect` for the names");
    }
  }
  return all;
}

}  // namespace

WitnessSpec parse_witness(const std::string& text) {
  WitnessSpec spec;
  if (text == "plain") {
    spec.plain = true;
  } else if (text == "torch") {
    spec.kind = WitnessSpec::Kind::torch;
  } else if (text == "keras") {
    spec.kind = WitnessSpec::Kind::keras;
  } else if (text != "interpreter") {
    spec.kind = WitnessSpec::Kind::evidence;
    spec.file = text;
  }
  return spec;
}

std::unique_ptr<Witness> make_witness(const WitnessSpec& spec, const Model& model,
                                      const FrameworkModel& file) {
  const auto needs = [&](Framework framework) {
    if (model.framework != framework) {
      throw usage_error(
          std::string("the ") + to_string(framework) + " witness cannot run " + file.file +
              ", a file of the other framework",
          "use interpreter, " + std::string(to_string(model.framework)) + " or an evidence file");
    }
  };
  switch (spec.kind) {
    case WitnessSpec::Kind::interpreter:
      return std::make_unique<InterpreterWitness>(model, file, spec.plain);
    case WitnessSpec::Kind::evidence:
      return std::make_unique<EvidenceWitness>(spec, model);
    case WitnessSpec::Kind::torch:
      needs(Framework::torch);
      break;
    case WitnessSpec::Kind::keras:
      needs(Framework::keras);
      break;
  }
  return make_child_witness(spec, model, file);
}

std::vector<NamedTensor> record(const Model& model, const FrameworkModel& file, const WitnessSpec& spec,
                                const std::vector<Array>& inputs, const std::vector<std::string>& layers) {
  const auto asked = recorded_values_of(model, file, layers);
  std::set<int> wanted;
  for (const auto& [name, value] : asked) wanted.insert(value);
  const auto witness = make_witness(spec, model, file);
  try {
    witness->run({inputs});
  } catch (const WitnessFailure& failure) {
    Where where;
    where.file = file.file;
    throw unsupported(failure.message, where, failure.way_out);
  }
  const auto values = witness->values(0, wanted);
  std::vector<NamedTensor> recorded;
  for (const auto& [name, value] : asked) {
    const Array* array = values->value(value);
    if (array == nullptr)
      throw usage_error("the " + witness->name() + " witness cannot show " + name, "leave it out");
    recorded.push_back({name, to_tensor(*array)});
  }
  return recorded;
}

}  // namespace tieout
