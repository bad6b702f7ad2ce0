#include "report/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/terminal.h"

namespace tieout {

namespace {

std::string sources_of(const PlanEntry& entry) {
  std::string text;
  for (const auto& move : entry.moves) {
    for (std::size_t k = 0; k < move.sources.size(); ++k) {
      text += (text.empty() ? "" : k > 0 ? " + " : ", ") + printable(move.sources[k]);
    }
  }
  return text.empty() ? "constant" : text;
}

std::string unmatched(const std::vector<std::string>& names, const std::string& side) {
  std::string text;
  for (const auto& name : names)
    text += fmt::format("  no partner for {} of the {}\n", printable(name), side);
  return text;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::size_t target = 0;
  std::size_t source = 0;
  for (const auto& entry : plan.entries) {
    target = std::max(target, printable(entry.target).size());
    source = std::max(source, sources_of(entry).size());
  }
  std::string text;
  for (const auto& entry : plan.entries) {
    text += fmt::format("  {:<{}} <- {:<{}}  {}\n", printable(entry.target), target, sources_of(entry),
                        source, printable(arrangement(entry)));
  }
  return text + unmatched(plan.unmatched_source, "source") + unmatched(plan.unmatched_target, "target");
}

}  // namespace tieout
