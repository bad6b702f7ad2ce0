// How the axes of a tensor lie in memory, in einops notation (https://einops.rocks).
//
//   "o i h w"                 four axes
//   "o (c h w)"               two axes, the second one made of three, outermost first
//   "(c m) 1 h w"             an axis of size 1
//   "(g{r z n} u) i"          the blocks along g are named, in this order
//   "(p{q of q k v} h d) e"   only block q of the three along p
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.h"

namespace tieout {

struct PatternAxis {
  std::string name;
  std::vector<std::string> labels;  // names of the blocks along the axis, in the tensor's order; may be empty
  std::string pick;                 // one of the labels: the pattern speaks of that block only; may be empty
  bool operator==(const PatternAxis&) const = default;
};

struct Pattern {
  std::vector<std::vector<PatternAxis>> groups;  // one for each axis of the tensor; an empty group is a 1
  bool operator==(const Pattern&) const = default;
};

// Sizes of the elementary axes by name. An axis with labels needs none: it has as many blocks as labels.
using AxisSizes = std::map<std::string, std::int64_t>;

// Error(usage) names what is wrong in the text: patterns come from map files that people edit.
Pattern parse_pattern(std::string_view text);
std::string to_string(const Pattern& pattern);

// The size of one elementary axis; Error(usage) when it is not known.
std::int64_t axis_size(const PatternAxis& axis, const AxisSizes& sizes);

// The whole tensor's shape, blocks that are not picked included.
Shape pattern_shape(const Pattern& pattern, const AxisSizes& sizes);

// The elementary axes that are not picked, outermost first.
std::vector<PatternAxis> free_axes(const Pattern& pattern);

// Puts `parts` in the place of the axis `name`, wherever it stands: "o i" with i -> c h w gives "o (c h w)".
Pattern replace_axis(const Pattern& pattern, const std::string& name, const std::vector<std::string>& parts);

}  // namespace tieout
