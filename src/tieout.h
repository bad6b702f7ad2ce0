// The spine: what the command line and the bindings call.
#pragma once

#include <optional>
#include <string>

#include "convert/plan.h"
#include "open.h"

namespace tieout {

struct ConvertOptions {
  std::string source;
  std::string target;
  std::optional<std::string> like;  // a template: the target gets its architecture and names
  std::optional<std::string> map;   // a plan as `tieout match` prints it, instead of our own
  InputShapes input_shapes;
  ReadOptions reading;         // of the source and the template
  std::optional<DType> dtype;  // the floats of the target; empty: as in the source
  WriteOptions writing;
};

// Everything about a conversion but the writing.
struct Conversion {
  Side source;
  Side target;  // its file's tensors are the plan's
  const Format* format = nullptr;
  Matching matching;
  Plan plan;          // empty when both files belong to one framework and nothing is rearranged
  Findings findings;  // of both sides and the plan
};

// Opens, matches and plans. Nothing is written; findings may forbid it.
Conversion prepare(const ConvertOptions& options);

// Writes the target under a temporary name. Error(unsupported) when findings forbid it. The caller commits.
Outputs write(const Conversion& conversion, const ConvertOptions& options);

// Layer pairs for comparing two files: from a map where one is given, otherwise by matching.
Matching match_sides(const Side& a, const Side& b, const std::optional<std::string>& map);

// Error(unsupported) with every refusal when the model cannot be run; Error(usage) when there is no
// architecture.
void require_runnable(const Side& side);

// Tensors by name from a .npy, .npz or .safetensors file (or any model file), and into .npz or .safetensors.
std::vector<NamedTensor> read_tensors(const std::string& path);
void write_tensors(const std::vector<NamedTensor>& tensors, const std::string& path, bool overwrite);

}  // namespace tieout
