#include "convert/precision.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

namespace tieout {

namespace {

// "mixed_float16" of {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}, or written shortly.
std::string policy_of(const FrameworkNode& node) {
  if (!node.settings.is_object()) return {};
  Json dtype = node.settings.value("dtype", Json());
  if (dtype.is_object() && dtype.contains("config") && dtype["config"].is_object())
    dtype = dtype["config"].value("name", Json());
  return dtype.is_string() ? dtype.get<std::string>() : std::string();
}

bool is_half(const std::string& policy) {
  return policy.ends_with("float16");  // bfloat16, mixed_float16, mixed_bfloat16
}

}  // namespace

Findings note_half_precision(const FrameworkModel& model) {
  if (model.framework != Framework::keras) return {};
  std::map<std::string, std::set<std::string>> layers;
  for (const FrameworkNode& node : model.nodes) {
    const std::string policy = policy_of(node);
    if (is_half(policy)) layers[policy].insert(node.name);
  }
  Findings findings;
  for (const auto& [policy, names] : layers) {
    const std::string which = names.size() == 1 ? *names.begin() : "";
    const std::string computes =
        names.size() == 1 ? "computes" : fmt::format("{} layers compute", names.size());
    findings.push_back({Severity::note,
                        which,
                        computes + " in half precision (dtype policy " + policy +
                            "); what is carried computes in the type of its weights, and the outputs differ "
                            "by what Keras rounds",
                        {}});
  }
  return findings;
}

}  // namespace tieout
