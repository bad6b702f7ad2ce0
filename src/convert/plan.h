// A conversion is a plan: for each target tensor, which arrangement of which source tensors fills it.
//
// The vocabulary is closed: rearrange by pattern (named blocks included), fill one block of the target
// (concatenation), take one block of a source (slice), sum of sources, constant 0 or 1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/match.h"
#include "model/model.h"

namespace tieout {

// Fills one block of the target (the whole, when `to` picks none) with the sum of the sources.
struct Move {
  std::vector<std::string> sources;  // full tensor names; none: the constant
  std::vector<Pattern> from;         // one for each source
  Pattern to;
  double constant = 0;
};

struct PlanEntry {
  std::string target;  // full tensor name
  std::string layer;   // the target's layer, for messages
  DType dtype = DType::f32;
  Shape shape;
  std::vector<Move> moves;  // together they fill every element once
  AxisSizes sizes;
};

struct Plan {
  std::vector<PlanEntry> entries;             // in the target's order
  std::vector<std::string> unmatched_source;  // tensors that no entry reads (bookkeeping aside)
  std::vector<std::string> unmatched_target;  // tensors that no entry fills
  Findings findings;
};

// Plans to fill b's tensors from a's. Every tensor of both layers' parameters is accounted for; what does not
// fit is a finding, all of them at once. `source` and `target` are the files of a and b.
Plan make_plan(const Model& a, const FrameworkModel& source, const Model& b, const FrameworkModel& target,
               const Matching& matching);

// The entry's tensor: reading it reads the sources and rearranges them. `source` must outlive it no longer
// than this call: the lazy tensors are copied.
LazyTensor planned_tensor(const PlanEntry& entry, const FrameworkModel& source);

// The target file with the plan's tensors in the place of its own. Tensors of no layer (a template's
// optimizer state) are left out: they belonged to other weights.
FrameworkModel carried(const Plan& plan, const FrameworkModel& source, const FrameworkModel& target);

// The matching that a plan implies: layers whose tensors one of its entries joins.
Matching match_by_plan(const Model& a, const Model& b, const Plan& plan);

// "o i h w -> h w i o"; "(g u) + (g u) -> (g u)"; "e h d -> (p{q of q k v} h d) e; ..."; "0 -> c".
std::string arrangement(const PlanEntry& entry);

// The JSON of `tieout match` (DESIGN: pairs, unmatched_source, unmatched_target, findings), and back.
// Error(usage) says what is wrong in an edited map; each target's shape and every source's is checked against
// the files.
Json to_json(const Plan& plan);
Json to_json(const Findings& findings);  // [{"severity", "layer", "message", "way_out"}]
Plan plan_from_json(const Json& map, const FrameworkModel& source, const FrameworkModel& target);

}  // namespace tieout
