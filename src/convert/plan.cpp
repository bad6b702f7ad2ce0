#include "convert/plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/checked.h"
#include "convert/match.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// The elementary axes of the parameter's `along` axis on one side: the flattened value's parts, or nothing.
std::vector<Axis> flattened_parts(const Model& model, const Layer& layer, const Parameter& parameter) {
  if (parameter.along.empty() || layer.inputs.empty()) return {};
  for (const auto& axis : model.values[static_cast<std::size_t>(layer.inputs[0])].axes) {
    if (!axis.parts.empty()) return axis.parts;
  }
  return {};
}

std::vector<std::string> part_names(const std::vector<Axis>& parts) {
  std::vector<std::string> names;
  for (const auto& part : parts) names.push_back(part.name);
  return names;
}

// One parameter of one side, with a flattened axis written out.
struct Side {
  std::vector<Term> terms;
  AxisSizes sizes;
};

Side side_of(const Parameter& parameter, const std::vector<Axis>& parts) {
  Side side{parameter.terms, parameter.sizes};
  if (parts.empty()) return side;
  for (auto& term : side.terms) term.pattern = replace_axis(term.pattern, parameter.along, part_names(parts));
  side.sizes.erase(parameter.along);
  for (const auto& part : parts) {
    if (part.size != unknown) side.sizes[part.name] = part.size;
  }
  return side;
}

class Planner {
 public:
  Planner(const Model& a, const FrameworkModel& source, const Model& b, const FrameworkModel& target)
      : a_(a), source_(source), b_(b), target_(target) {}

  Plan run(const Matching& matching) {
    plan_.findings = matching.findings;
    for (const auto& pair : matching.layers)
      plan_layer(a_.layers.at(static_cast<std::size_t>(pair.a)),
                 b_.layers.at(static_cast<std::size_t>(pair.b)));
    // Bookkeeping of layers without partner cannot be: their parameters are reported by the matching.
    order_entries();
    account();
    return std::move(plan_);
  }

 private:
  void forbid(const Layer& layer, const std::string& message, const std::string& way_out) {
    plan_.findings.push_back({Severity::forbids, layer.name, message, way_out});
  }

  void plan_layer(const Layer& left, const Layer& right) {
    for (const auto& parameter : left.parameters) {
      for (const auto& term : parameter.terms) read_.insert(term.tensor);
    }
    for (const auto& parameter : right.parameters) {
      const auto found = std::ranges::find(left.parameters, parameter.name, &Parameter::name);
      if (found != left.parameters.end()) {
        plan_parameter(left, *found, right, parameter);
      } else if (parameter.bookkeeping) {
        for (const auto& term : parameter.terms) {
          add_move(right, parameter, parameter.sizes, {{}, {}, term.pattern, parameter.constant}, term,
                   parameter.dtype);
        }
      } else if (!parameter.terms.empty()) {
        forbid(right, "the source has no " + parameter.name,
               "give a template whose layer has the same parameters");
      }
    }
    for (const auto& parameter : left.parameters) {
      if (parameter.bookkeeping || parameter.terms.empty()) continue;
      const auto found = std::ranges::find(right.parameters, parameter.name, &Parameter::name);
      if (found == right.parameters.end() || found->terms.empty()) {
        forbid(right,
               "the target has no place for the source's " + parameter.name + " (" +
                   parameter.terms[0].tensor + ")",
               "give a template whose layer has it (use_bias, affine, scale, center)");
      }
    }
  }

  void plan_parameter(const Layer& left, const Parameter& from, const Layer& right, const Parameter& to) {
    if (to.terms.empty()) return;  // a source that has it is reported by plan_layer
    auto parts_from = flattened_parts(a_, left, from);
    auto parts_to = flattened_parts(b_, right, to);
    // The same order on both sides: then what was flattened, of whatever size, does not matter.
    if (part_names(parts_from) == part_names(parts_to)) {
      parts_from.clear();
      parts_to.clear();
    }
    if (parts_from.empty() != parts_to.empty()) {
      forbid(right,
             "the features of its input are flattened from an image on one side only: their order cannot be "
             "told",
             "give the input's shape with --input-shape, or a template that flattens at the same place");
      return;
    }
    const Side source = side_of(from, parts_from);
    Side target = side_of(to, parts_to);
    auto names_from = part_names(parts_from);
    auto names_to = part_names(parts_to);
    std::ranges::sort(names_from);
    std::ranges::sort(names_to);
    if (names_from != names_to) {
      forbid(right,
             "its input is flattened from the axes " + to_string(source.terms[0].pattern) +
                 " on one side and " + to_string(target.terms[0].pattern) + " on the other",
             "give a template that flattens at the same place");
      return;
    }
    if (!merge_sizes(right, source.sizes, target.sizes, to.name)) return;
    const DType dtype = dtype_of(source.terms, left, to);
    const bool termwise = source.terms.size() == target.terms.size();
    for (std::size_t k = 0; k < target.terms.size(); ++k) {
      Move move{{}, {}, target.terms[k].pattern, 0};
      if (source.terms.empty()) {
        move.constant = k == 0 ? from.constant : 0;
      } else if (termwise) {
        move.sources = {source.terms[k].tensor};
        move.from = {source.terms[k].pattern};
      } else if (k == 0) {
        // The sum of all terms goes into the first; further ones of the target get 0.
        for (const auto& term : source.terms) {
          move.sources.push_back(term.tensor);
          move.from.push_back(term.pattern);
        }
      }
      add_move(right, to, target.sizes, std::move(move), target.terms[k], dtype);
    }
  }

  // Fills sizes that only one side knows; two that differ are a finding.
  bool merge_sizes(const Layer& layer, const AxisSizes& from, AxisSizes& to, const std::string& parameter) {
    for (const auto& [axis, size] : from) {
      const auto [known, added] = to.emplace(axis, size);
      if (!added && known->second != size) {
        forbid(layer,
               "its " + parameter + " has " + std::to_string(size) + " along " + axis +
                   " in the source and " + std::to_string(known->second) + " in the target",
               "give a template of the same sizes");
        return false;
      }
    }
    return true;
  }

  // A constant gets the type of the source layer's other tensors.
  DType dtype_of(const std::vector<Term>& terms, const Layer& left, const Parameter& to) const {
    std::vector<Term> all = terms;
    for (const auto& parameter : left.parameters) {
      if (!parameter.bookkeeping) all.insert(all.end(), parameter.terms.begin(), parameter.terms.end());
    }
    for (const auto& term : all) {
      if (const LazyTensor* tensor = source_.find_tensor(term.tensor)) return tensor->dtype;
    }
    for (const auto& term : to.terms) {
      if (const LazyTensor* tensor = target_.find_tensor(term.tensor)) return tensor->dtype;
    }
    return to.dtype;
  }

  void add_move(const Layer& layer, const Parameter& parameter, const AxisSizes& sizes, Move move,
                const Term& term, DType dtype) {
    auto [place, added] = index_.emplace(term.tensor, plan_.entries.size());
    if (added) {
      PlanEntry entry;
      entry.target = term.tensor;
      entry.layer = layer.name;
      entry.dtype = dtype;
      entry.sizes = sizes;
      try {
        entry.shape = pattern_shape(term.pattern, sizes);
      } catch (const Error& error) {
        forbid(layer, "the shape of its " + parameter.name + " cannot be told: " + error.what(),
               "give the input's shape with --input-shape");
        index_.erase(place);
        return;
      }
      const LazyTensor* there = target_.find_tensor(term.tensor);
      if (there != nullptr && there->shape != entry.shape) {
        forbid(layer,
               "its " + parameter.name + " (" + term.tensor + ") has the shape " + to_string(there->shape) +
                   ", the source's would be " + to_string(entry.shape),
               "give a template of the same sizes");
      }
      plan_.entries.push_back(std::move(entry));
    }
    PlanEntry& entry = plan_.entries[place->second];
    entry.sizes.insert(sizes.begin(), sizes.end());
    if (!added && entry.dtype != dtype) {
      forbid(layer, "the parts of " + term.tensor + " have different types",
             "convert them to one type first");
    }
    // A shared layer is planned once for each call; the same move again is no second one.
    const auto same = [&](const Move& other) {
      return other.to == move.to && other.sources == move.sources && other.from == move.from;
    };
    if (std::ranges::none_of(entry.moves, same)) entry.moves.push_back(std::move(move));
  }

  // Entries in the order in which the target lists its tensors.
  void order_entries() {
    std::map<std::string, std::size_t> rank;
    for (const auto& node : target_.nodes) {
      for (const auto& parameter : node.parameters) rank.emplace(parameter.tensor, rank.size());
    }
    std::ranges::stable_sort(plan_.entries, {}, [&](const PlanEntry& entry) { return rank[entry.target]; });
  }

  // Every element of every target tensor filled once; every tensor of both sides named.
  void account() {
    std::set<std::string> filled;
    for (const auto& entry : plan_.entries) {
      std::uint64_t elements = 0;
      for (const auto& move : entry.moves) {
        std::uint64_t block = 1;
        for (const auto& axis : free_axes(move.to))
          block *= static_cast<std::uint64_t>(axis_size(axis, entry.sizes));
        elements += block;
      }
      if (elements != element_count(entry.shape)) {
        plan_.findings.push_back({Severity::forbids, entry.layer, entry.target + " is not filled completely",
                                  "give a template whose layer has the same parameters"});
      }
      filled.insert(entry.target);
    }
    for (const auto& node : source_.nodes) {
      for (const auto& parameter : node.parameters) {
        if (!read_.contains(parameter.tensor)) plan_.unmatched_source.push_back(parameter.tensor);
      }
    }
    for (const auto& node : target_.nodes) {
      for (const auto& parameter : node.parameters) {
        if (!filled.contains(parameter.tensor)) plan_.unmatched_target.push_back(parameter.tensor);
      }
    }
    if (!plan_.unmatched_source.empty() || !plan_.unmatched_target.empty()) {
      plan_.findings.push_back(
          {Severity::forbids, "",
           std::to_string(plan_.unmatched_source.size()) + " tensors of the source and " +
               std::to_string(plan_.unmatched_target.size()) + " of the target have no partner",
           "see `tieout match` for the list; name pairs in a map with --map"});
    }
  }

  const Model& a_;
  const FrameworkModel& source_;
  const Model& b_;
  const FrameworkModel& target_;
  Plan plan_;
  std::map<std::string, std::size_t> index_;
  std::set<std::string> read_;
};

}  // namespace

Plan make_plan(const Model& a, const FrameworkModel& source, const Model& b, const FrameworkModel& target,
               const Matching& matching) {
  return Planner(a, source, b, target).run(matching);
}

std::string arrangement(const PlanEntry& entry) {
  std::string text;
  for (const auto& move : entry.moves) {
    if (!text.empty()) text += "; ";
    if (move.sources.empty()) text += move.constant == 0 ? "0" : "1";
    for (std::size_t k = 0; k < move.from.size(); ++k) text += (k > 0 ? " + " : "") + to_string(move.from[k]);
    text += " -> " + to_string(move.to);
  }
  return text;
}

FrameworkModel carried(const Plan& plan, const FrameworkModel& source, const FrameworkModel& target) {
  FrameworkModel result = target;
  // The template's optimizer state belongs to the weights that it had.
  std::set<std::string> of_layers;
  for (const auto& node : target.nodes) {
    for (const auto& parameter : node.parameters) of_layers.insert(parameter.tensor);
  }
  std::erase_if(result.tensors, [&](const NamedTensor& named) { return !of_layers.contains(named.name); });
  for (const auto& entry : plan.entries) {
    LazyTensor tensor = planned_tensor(entry, source);
    const auto found = std::ranges::find(result.tensors, entry.target, &NamedTensor::name);
    if (found != result.tensors.end()) {
      found->tensor = std::move(tensor);
    } else {
      result.tensors.push_back({entry.target, std::move(tensor)});
    }
  }
  return result;
}

}  // namespace tieout
