// Converts a model wrongly on purpose: once for each layer and each known mistake of its kind, a file of the
// other framework that was written with the mistake. test_layers.py has `tieout verify` find them.
//
//   miscarry SOURCE PREFIX SUFFIX [--input-shape [NAME=]C,H,W]...
//
// writes PREFIX0SUFFIX, PREFIX1SUFFIX, ... and prints [{"file", "layer", "kind", "mistake", "settings"}], the
// settings being those of the layer that the mistake consists in. A mistake that the other framework's file
// cannot hold is left out.
#include <algorithm>
#include <iostream>

#include "cli/command.h"
#include "convert/lower.h"
#include "layers/layer_kind.h"
#include "layers/record/infer.h"
#include "tieout.h"

using namespace tieout;

namespace {

std::vector<Axes> input_axes(const Model& model, const Layer& layer) {
  std::vector<Axes> axes;
  for (const int value : layer.inputs) axes.push_back(model.values[static_cast<std::size_t>(value)].axes);
  return axes;
}

// Where the misread side takes the cells of an axis, or the parts of one, in another order, the other side
// tells them apart too: it counts the cells, it has the parts in the canonical order.
void tell_apart(const Parameter& right, const Parameter& misread, Parameter& target) {
  std::map<std::string, std::vector<std::string>> labels;
  for (const auto& group : misread.canonical.groups) {
    for (const auto& axis : group) labels[axis.name] = axis.labels;
  }
  for (auto& term : target.terms) {
    for (std::size_t k = 0; k < right.canonical.groups.size(); ++k) {
      const auto& whole = right.canonical.groups[k];
      const auto& parts = misread.canonical.groups.at(k);
      if (whole.size() != 1 || parts.size() < 2) continue;
      std::vector<std::string> names;
      for (const auto& part : parts) names.push_back(part.name);
      term.pattern = replace_axis(term.pattern, whole[0].name, names);
      target.canonical = replace_axis(target.canonical, whole[0].name, names);
      target.sizes.insert(misread.sizes.begin(), misread.sizes.end());
    }
    for (auto& group : term.pattern.groups) {
      for (auto& axis : group) {
        if (axis.labels.empty()) axis.labels = labels[axis.name];
      }
    }
  }
}

void tell_apart(const Layer& right, const Layer& misread, Layer& target) {
  for (auto& parameter : target.parameters) {
    const auto named = [&](const Layer& layer) {
      return std::ranges::find(layer.parameters, parameter.name, &Parameter::name);
    };
    const auto ours = named(right);
    const auto theirs = named(misread);
    if (ours != right.parameters.end() && theirs != misread.parameters.end())
      tell_apart(*ours, *theirs, parameter);
  }
}

// The values behind the layer as the misread one makes them; false where it cannot take its inputs.
bool infer_again(Model& model, std::size_t from) {
  try {
    for (std::size_t i = from; i < model.layers.size(); ++i) {
      const auto outputs = output_axes(model.layers[i], input_axes(model, model.layers[i]));
      for (std::size_t k = 0; k < outputs.size(); ++k)
        model.values.at(static_cast<std::size_t>(model.layers[i].outputs.at(k))).axes = outputs[k];
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool holds_the_same(const FrameworkModel& a, const FrameworkModel& b) {
  const auto same_node = [](const FrameworkNode& left, const FrameworkNode& right) {
    return left.class_name == right.class_name && left.settings == right.settings &&
           left.call == right.call && left.definition == right.definition &&
           std::ranges::equal(left.inputs, right.inputs, {}, &NodeInput::value, &NodeInput::value);
  };
  const auto same_tensor = [](const LazyTensor& left, const LazyTensor& right) {
    return left.shape == right.shape && left.load() == right.load();
  };
  if (!std::ranges::equal(a.nodes, b.nodes, same_node)) return false;
  return std::ranges::all_of(a.tensors, [&](const auto& tensor) {
    const LazyTensor* other = b.find_tensor(tensor.name);
    return other != nullptr && same_tensor(tensor.tensor, *other);
  });
}

// A tensor that nobody reads any more is what a mistake may consist in.
bool forbids(const Plan& plan) {
  Findings findings = plan.findings;
  if (plan.unmatched_target.empty())
    std::erase_if(findings, [](const Finding& finding) { return finding.layer.empty(); });
  return forbids_writing(findings);
}

bool says_the_same(const Model& right, const Model& wrong) {
  return std::ranges::equal(right.layers, wrong.layers, [](const Layer& a, const Layer& b) {
    return a.settings == b.settings && a.inputs == b.inputs;
  });
}

// What `wrong`, a misread `source`, is in the target's framework. Nothing where the target cannot say it.
std::optional<FrameworkModel> carried_wrongly(const Side& source, const Model& wrong, Framework target) {
  // Parameters read wrongly do not change what the target's file is made of.
  const Model& said = says_the_same(source.model, wrong) ? source.model : wrong;
  Lowering lowering = lower(said, target);
  if (forbids_writing(lowering.findings)) return std::nullopt;
  const Matching matching = match(said, lowering.model);
  for (const auto& pair : matching.layers) {
    const auto a = static_cast<std::size_t>(pair.a);
    tell_apart(source.model.layers[a], wrong.layers[a],
               lowering.model.layers[static_cast<std::size_t>(pair.b)]);
  }
  const Plan plan = make_plan(wrong, source.file, lowering.model, lowering.target, matching);
  if (forbids(plan)) return std::nullopt;
  return carried(plan, source.file, lowering.target);
}

// Lowering takes it for a bug where no layer of the source's framework can be what the misread one is.
std::optional<FrameworkModel> carried_if_possible(const Side& source, const Model& wrong, Framework target) {
  try {
    return carried_wrongly(source, wrong, target);
  } catch (const Error&) {
    return std::nullopt;
  }
}

Json changed_settings(const Layer& right, const Layer& wrong) {
  Json changed = Json::array();
  for (const auto& [name, value] : wrong.settings.items()) {
    if (right.settings.value(name, Json()) != value) changed.push_back(name);
  }
  return changed;
}

void miscarry(const std::string& path, const std::string& prefix, const std::string& suffix,
              const InputShapes& shapes) {
  const Side source = open_side(path, shapes);
  const Format& format = format_of_name(prefix + suffix);
  const auto target_of_right = carried_wrongly(source, source.model, format.framework);
  Json written = Json::array();
  for (std::size_t i = 0; i < source.model.layers.size(); ++i) {
    const Layer& right = source.model.layers[i];
    for (const auto& mistake : kind_named(right.kind).mistakes) {
      Model wrong = source.model;
      if (!mistake.mutate(wrong.layers[i], wrong.framework, input_axes(source.model, right))) continue;
      if (!infer_again(wrong, i)) continue;
      const auto target = carried_if_possible(source, wrong, format.framework);
      if (!target || (target_of_right && holds_the_same(*target, *target_of_right))) continue;
      const std::string file = prefix + std::to_string(written.size()) + suffix;
      for (const auto& output : format.write(*target, file, {})) output->commit();
      written.push_back({{"file", file},
                         {"layer", right.name},
                         {"kind", right.kind},
                         {"mistake", mistake.name},
                         {"settings", changed_settings(right, wrong.layers[i])}});
    }
  }
  std::cout << written.dump() << "\n";
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Writes wrong conversions");
  std::string source;
  std::string prefix;
  std::string suffix;
  std::vector<std::string> shapes;
  app.add_option("SOURCE", source)->required();
  app.add_option("PREFIX", prefix)->required();
  app.add_option("SUFFIX", suffix)->required();
  cli::add_input_shapes(&app, shapes);
  CLI11_PARSE(app, count, arguments);
  try {
    miscarry(source, prefix, suffix, cli::parse_input_shapes(shapes));
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
