// The plan as `tieout match` prints it, and read back from an edited map.

#include <algorithm>
#include <set>

#include "convert/plan.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(by); end != std::string::npos; end = text.find(by, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + by.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

Error wrong_map(const std::string& message) {
  return usage_error("the map: " + message, "`tieout match` prints a map in the right form");
}

const Json& member(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name))
    throw wrong_map(std::string("\"") + name + "\" is missing");
  return object.at(name);
}

std::vector<std::string> names(const Json& list) {
  std::vector<std::string> all;
  if (list.is_string()) return {list.get<std::string>()};
  if (!list.is_array()) throw wrong_map("\"source\" and \"target\" are lists of tensor names");
  for (const auto& name : list) {
    if (!name.is_string()) throw wrong_map("\"source\" and \"target\" are lists of tensor names");
    all.push_back(name.get<std::string>());
  }
  return all;
}

// "o i h w -> h w i o": takes as many names from `sources` as the left side has patterns.
Move parse_move(const std::string& text, std::vector<std::string>& sources) {
  const auto sides = split(text, "->");
  if (sides.size() != 2) throw wrong_map("the arrangement \"" + text + "\" is not \"from -> to\"");
  Move move;
  move.to = parse_pattern(sides[1]);
  const std::string left = trimmed(sides[0]);
  if (left == "0" || (left == "1" && sources.empty())) {
    move.constant = left == "1" ? 1 : 0;
    return move;
  }
  for (const auto& pattern : split(left, "+")) {
    if (sources.empty())
      throw wrong_map("the arrangement \"" + text + "\" has more patterns than source tensors");
    move.from.push_back(parse_pattern(pattern));
    move.sources.push_back(sources.front());
    sources.erase(sources.begin());
  }
  return move;
}

// Adds the sizes that the tensor's shape tells through its pattern.
void learn_sizes(const Pattern& pattern, const Shape& shape, const std::string& tensor, AxisSizes& sizes) {
  if (pattern.groups.size() != shape.size()) {
    throw wrong_map("\"" + to_string(pattern) + "\" has " + std::to_string(pattern.groups.size()) +
                    " axes, " + tensor + " has the shape " + to_string(shape));
  }
  for (std::size_t g = 0; g < shape.size(); ++g) {
    std::int64_t product = 1;
    std::string open;
    for (const auto& axis : pattern.groups[g]) {
      if (!axis.labels.empty() || sizes.contains(axis.name)) {
        product *= axis_size(axis, sizes);
      } else if (open.empty()) {
        open = axis.name;
      } else {
        return;  // told by another tensor, or by "sizes"
      }
    }
    if (!open.empty() && product > 0 && shape[g] % product == 0) sizes[open] = shape[g] / product;
  }
}

PlanEntry parse_entry(const Json& pair, const FrameworkModel& source, const FrameworkModel& target) {
  PlanEntry entry;
  const auto targets = names(member(pair, "target"));
  if (targets.size() != 1) throw wrong_map("each pair has one target tensor");
  entry.target = targets[0];
  auto sources = names(member(pair, "source"));
  if (pair.contains("sizes")) {
    if (!pair["sizes"].is_object()) throw wrong_map("\"sizes\" is an object of numbers");
    for (const auto& [axis, size] : pair["sizes"].items()) {
      if (!size.is_number_integer() || size.get<std::int64_t>() < 0) throw wrong_map("\"sizes\" are numbers");
      entry.sizes[axis] = size.get<std::int64_t>();
    }
  }
  const Json& text = member(pair, "arrangement");
  if (!text.is_string()) throw wrong_map("\"arrangement\" is a text");
  for (const auto& part : split(text.get<std::string>(), ";"))
    entry.moves.push_back(parse_move(part, sources));
  if (!sources.empty()) throw wrong_map(entry.target + " has more source tensors than patterns");
  for (const auto& move : entry.moves) {
    for (std::size_t k = 0; k < move.sources.size(); ++k) {
      const LazyTensor* tensor = source.find_tensor(move.sources[k]);
      if (tensor == nullptr) throw wrong_map("the source has no tensor " + move.sources[k]);
      learn_sizes(move.from[k], tensor->shape, move.sources[k], entry.sizes);
      entry.dtype = tensor->dtype;
    }
  }
  const LazyTensor* there = target.find_tensor(entry.target);
  for (const auto& move : entry.moves) {
    if (there != nullptr) learn_sizes(move.to, there->shape, entry.target, entry.sizes);
  }
  entry.shape = pattern_shape(entry.moves.front().to, entry.sizes);
  if (there != nullptr && there->shape != entry.shape) {
    throw wrong_map(entry.target + " has the shape " + to_string(there->shape) + ", its pattern gives " +
                    to_string(entry.shape));
  }
  return entry;
}

Json finding_json(const Finding& finding) {
  const char* severity = finding.severity == Severity::forbids   ? "error"
                         : finding.severity == Severity::warning ? "warning"
                                                                 : "note";
  return {{"severity", severity},
          {"layer", finding.layer},
          {"message", finding.message},
          {"way_out", finding.way_out}};
}

}  // namespace

Json to_json(const Findings& findings) {
  Json list = Json::array();
  for (const auto& finding : findings) list.push_back(finding_json(finding));
  return list;
}

Json to_json(const Plan& plan) {
  Json pairs = Json::array();
  for (const auto& entry : plan.entries) {
    Json sources = Json::array();
    for (const auto& move : entry.moves) {
      for (const auto& name : move.sources) sources.push_back(name);
    }
    Json sizes = Json::object();
    for (const auto& [axis, size] : entry.sizes) sizes[axis] = size;
    pairs.push_back({{"target", {entry.target}},
                     {"source", sources},
                     {"arrangement", arrangement(entry)},
                     {"sizes", sizes},
                     {"shape", entry.shape},
                     {"dtype", to_string(entry.dtype)}});
  }
  return {{"pairs", pairs},
          {"unmatched_source", plan.unmatched_source},
          {"unmatched_target", plan.unmatched_target},
          {"findings", to_json(plan.findings)}};
}

Plan plan_from_json(const Json& map, const FrameworkModel& source, const FrameworkModel& target) {
  Plan plan;
  std::set<std::string> known;
  for (const auto& node : target.nodes) {
    for (const auto& parameter : node.parameters) known.insert(parameter.tensor);
  }
  std::set<std::string> filled;
  std::set<std::string> read;
  const Json& pairs = member(map, "pairs");
  if (!pairs.is_array()) throw wrong_map("\"pairs\" is a list");
  for (const auto& pair : pairs) {
    PlanEntry entry = parse_entry(pair, source, target);
    if (!known.contains(entry.target)) throw wrong_map("the target has no tensor " + entry.target);
    if (!filled.insert(entry.target).second) throw wrong_map(entry.target + " is filled twice");
    for (const auto& move : entry.moves) read.insert(move.sources.begin(), move.sources.end());
    plan.entries.push_back(std::move(entry));
  }
  for (const auto& name : known) {
    if (!filled.contains(name)) plan.unmatched_target.push_back(name);
  }
  for (const auto& node : source.nodes) {
    for (const auto& parameter : node.parameters) {
      if (!read.contains(parameter.tensor)) plan.unmatched_source.push_back(parameter.tensor);
    }
  }
  if (!plan.unmatched_target.empty()) {
    plan.findings.push_back({Severity::forbids, "",
                             "the map fills " + std::to_string(filled.size()) + " of the target's " +
                                 std::to_string(known.size()) + " tensors",
                             "add a pair for each tensor listed as unmatched"});
  }
  if (!plan.unmatched_source.empty()) {
    plan.findings.push_back(
        {Severity::note, "",
         "the map leaves out " + std::to_string(plan.unmatched_source.size()) + " tensors of the source",
         ""});
  }
  return plan;
}

}  // namespace tieout
