#include "convert/constraints.h"

#include <algorithm>
#include <vector>

namespace tieout {

namespace {

bool is_wrapper(const FrameworkModel& model, const FrameworkNode& node) {
  return model.framework == Framework::keras && node.class_name == "SpectralNormalization";
}

// A .keras file has the wrapper's own variables, vector_u and the kernel once more, beside the wrapped
// layer's ("layer/vars/0", which Keras loads last); a .h5 has vector_u behind the wrapped layer's.
bool is_of_training(const NodeParameter& parameter) {
  return parameter.path.starts_with("vars/") || parameter.name == "vector_u";
}

}  // namespace

Findings state_weights(FrameworkModel& model) {
  Findings findings;
  for (FrameworkNode& node : model.nodes) {
    if (!is_wrapper(model, node)) continue;
    std::erase_if(node.parameters, is_of_training);
    findings.push_back({Severity::note,
                        node.name + " (" + node.class_name + ")",
                        "the layer that it wraps is carried with the kernel as it is stored; what training "
                        "does to the kernel is not carried on",
                        {}});
  }
  return findings;
}

Findings refuse_constraints(const FrameworkModel& target) {
  Findings findings;
  for (const FrameworkNode& node : target.nodes) {
    if (!is_wrapper(target, node)) continue;
    findings.push_back({Severity::forbids, node.name + " (" + node.class_name + ")",
                        "what it trains with beside the kernel cannot be filled in",
                        "give a template with the layer that it wraps (its .layer) in its place"});
  }
  return findings;
}

}  // namespace tieout
