#include "layers/shared/recurrent_gates.h"

#include <algorithm>
#include <utility>

namespace tieout {

namespace {

// "(g{r z n} u) i", or "u i" with one gate.
std::string with_gates(const std::string& gates, const std::string& units) {
  return gates.empty() ? units : "(" + gates + " " + units + ")";
}

std::string canonical(const GateAxis& gates, const std::string& rest) {
  return gates.torch.empty() ? rest : gates.torch + " " + rest;
}

bool goes_both_ways(const Layer& layer) {
  return layer.settings["direction"] == "both";
}

bool swap_directions(Layer& layer, Framework, const std::vector<Axes>&) {
  if (!goes_both_ways(layer)) return false;
  for (Parameter& parameter : layer.parameters) {
    Parameter* reverse = parameter_named(layer, "reverse_" + parameter.name);
    if (reverse != nullptr) std::swap(parameter.terms, reverse->terms);
  }
  return true;
}

// Sets `mistake`, which compute_recurrent knows, where the layer goes both ways and its setting has the
// value.
std::function<bool(Layer&, Framework, const std::vector<Axes>&)> misread_both_ways(const char* mistake,
                                                                                   const char* setting,
                                                                                   const char* value) {
  return [=](Layer& layer, Framework, const std::vector<Axes>& inputs) {
    if (!goes_both_ways(layer) || layer.settings[setting] != value || is_one_step(layer, inputs))
      return false;
    layer.settings[mistake] = true;
    return true;
  };
}

bool forget_second_bias(Layer& layer, Framework, const std::vector<Axes>&) {
  bool changed = false;
  for (const char* name : {"bias", "reverse_bias"}) {
    Parameter* bias = parameter_named(layer, name);
    if (bias == nullptr || bias->terms.size() < 2) continue;
    bias->terms.resize(1);
    changed = true;
  }
  return changed;
}

}  // namespace

void add_kernels(Lifter& lifter, Layer& layer, const RecurrentPart& part, const GateAxis& gates) {
  const bool torch = lifter.is_torch();
  const Term kernel = torch
                          ? lifter.term("weight_ih" + part.torch_suffix, with_gates(gates.torch, "u") + " i")
                          : lifter.term(part.keras_name + "kernel", "i " + with_gates(gates.keras, "u"),
                                        part.keras_path + "0");
  layer.parameters.push_back(lifter.parameter(part.prefix + "kernel", canonical(gates, "u i"), {kernel},
                                              {{"u", part.units}, {"i", part.features}}));
  const Term recurrent =
      torch ? lifter.term("weight_hh" + part.torch_suffix, with_gates(gates.torch, "u") + " v")
            : lifter.term(part.keras_name + "recurrent_kernel", "v " + with_gates(gates.keras, "u"),
                          part.keras_path + "1");
  layer.parameters.push_back(lifter.parameter(part.prefix + "recurrent_kernel", canonical(gates, "u v"),
                                              {recurrent}, {{"u", part.units}, {"v", part.units}}));
}

void add_summed_bias(Lifter& lifter, Layer& layer, const RecurrentPart& part, const GateAxis& gates) {
  std::vector<Term> bias;
  if (part.has_bias && lifter.is_torch()) {
    const std::string pattern = with_gates(gates.torch, "u");
    bias = {lifter.term("bias_ih" + part.torch_suffix, pattern),
            lifter.term("bias_hh" + part.torch_suffix, pattern)};
  } else if (part.has_bias) {
    bias = {lifter.term(part.keras_name + "bias", with_gates(gates.keras, "u"), part.keras_path + "2")};
  }
  layer.parameters.push_back(
      lifter.parameter(part.prefix + "bias", canonical(gates, "u"), bias, {{"u", part.units}}));
}

Parameter* parameter_named(Layer& layer, const std::string& name) {
  const auto found = std::ranges::find(layer.parameters, name, &Parameter::name);
  return found == layer.parameters.end() ? nullptr : &*found;
}

bool relabel_gates(Layer& layer, const std::vector<std::string>& own, const std::vector<std::string>& other) {
  bool changed = false;
  for (auto& parameter : layer.parameters) {
    for (auto& term : parameter.terms) {
      for (auto& group : term.pattern.groups) {
        for (auto& axis : group) {
          if (axis.name != "g" || axis.labels.size() != own.size()) continue;
          // The block that stands where `own` has the gate k stands now for the gate other[k].
          for (auto& label : axis.labels) {
            label = other[static_cast<std::size_t>(std::ranges::find(own, label) - own.begin())];
          }
          changed = true;
        }
      }
    }
  }
  return changed;
}

bool is_one_step(const Layer& layer, const std::vector<Axes>& inputs) {
  if (inputs.empty() || inputs[0].size() < 2 || layer.settings.value("initial", false)) return false;
  const bool moved = !layer.orders.empty() && !layer.orders[0].empty();
  const std::size_t time = moved ? static_cast<std::size_t>(layer.orders[0].at(1)) : 1;
  return inputs[0].at(time).size == 1;
}

Mistake forgotten_second_bias() {
  return {"forgotten_second_bias", "bias_hh was left out; the bias is the sum of bias_ih and bias_hh",
          forget_second_bias};
}

std::vector<Mistake> mistakes_of_both_ways() {
  return {
      {"swapped_directions", "the parameters of the forward and the backward direction are swapped",
       swap_directions},
      {"last_of_sequence",
       "the backward direction's output is taken at the sequence's last step instead of at its own",
       misread_both_ways("last_of_sequence", "returns", "last")},
      {"unturned_backward", "the backward direction's output is left in the order in which it was computed",
       misread_both_ways("unturned_backward", "returns", "sequence")},
      {"backward_first", "the backward direction's output stands before the forward one's",
       misread_both_ways("backward_first", "merge", "concat")}};
}

Mistake wrong_direction() {
  return {"wrong_direction", "the sequence is read in the other direction (go_backwards)",
          [](Layer& layer, Framework, const std::vector<Axes>& inputs) {
            if (goes_both_ways(layer) || is_one_step(layer, inputs)) return false;
            layer.settings["direction"] = layer.settings["direction"] == "forward" ? "backward" : "forward";
            return true;
          }};
}

}  // namespace tieout
