#include "layers/shared/convolution_mistakes.h"

#include <utility>

#include "layers/shared/spatial.h"

namespace tieout {

namespace {

// Every term of the kernel with two of its axes in each other's place; false where a tensor would change its
// shape.
bool swap_axes(Layer& layer, const std::string& first, const std::string& second) {
  Parameter& kernel = layer.parameters.at(0);
  const auto a = kernel.sizes.find(first);
  const auto b = kernel.sizes.find(second);
  if (a == kernel.sizes.end() || b == kernel.sizes.end() || a->second != b->second || a->second == 1)
    return false;
  for (auto& term : kernel.terms) {
    for (auto& group : term.pattern.groups) {
      for (auto& axis : group) {
        if (axis.name == first) {
          axis.name = second;
        } else if (axis.name == second) {
          axis.name = first;
        }
      }
    }
  }
  return true;
}

// The axis with its cells counted, from its end if `backwards`; false where they are counted already.
bool count_cells(Pattern& pattern, const std::string& name, std::int64_t size, bool backwards) {
  for (auto& group : pattern.groups) {
    for (auto& axis : group) {
      if (axis.name != name) continue;
      if (!axis.labels.empty()) return false;
      for (std::int64_t at = 0; at < size; ++at) {
        axis.labels.push_back(std::to_string(backwards ? size - 1 - at : at));
      }
    }
  }
  return true;
}

bool turn_kernel(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter& kernel = layer.parameters.at(0);
  bool turned = false;
  for (const std::string name : {"l", "d", "h", "w"}) {
    const auto size = kernel.sizes.find(name);
    if (size == kernel.sizes.end() || size->second == 1) continue;
    if (!count_cells(kernel.canonical, name, size->second, false)) return false;
    for (auto& term : kernel.terms) {
      if (!count_cells(term.pattern, name, size->second, true)) return false;
    }
    turned = true;
  }
  return turned && !kernel.terms.empty();
}

// The output channels of a depthwise kernel as m c instead of c m, in the kernel and the bias.
bool multiplier_first(Layer& layer, Framework, const std::vector<Axes>&) {
  const auto& sizes = layer.parameters.at(0).sizes;
  if (sizes.at("c") == 1 || sizes.at("m") == 1) return false;
  bool changed = false;
  for (auto& parameter : layer.parameters) {
    for (auto& term : parameter.terms) {
      for (auto& group : term.pattern.groups) {
        if (group.size() != 2) continue;
        std::swap(group[0], group[1]);
        changed = true;
      }
    }
  }
  return changed;
}

}  // namespace

Mistake swapped_axes_mistake(const std::string& name, const std::string& message, const std::string& first,
                             const std::string& second) {
  const auto mutate = [=](Layer& layer, Framework, const std::vector<Axes>&) {
    return swap_axes(layer, first, second);
  };
  return {name, message, mutate};
}

Mistake turned_kernel_mistake() {
  return {"turned_kernel", "the kernel is turned round by 180 degrees", turn_kernel};
}

std::vector<Mistake> convolution_mistakes(std::size_t rank, bool depthwise) {
  std::vector<Mistake> all = {same_padding_mistake()};
  if (depthwise) {
    all.push_back({"multiplier_first",
                   "the output channels stand as (multiplier, channel) for (channel, multiplier)",
                   multiplier_first});
  } else {
    all.push_back(swapped_axes_mistake(
        "in_out", "the kernel's input and output channels stand in each other's place", "i", "o"));
  }
  if (rank > 1)
    all.push_back(swapped_axes_mistake(
        "rows_columns", "the kernel's rows and columns stand in each other's place", "h", "w"));
  all.push_back(turned_kernel_mistake());
  return all;
}

}  // namespace tieout
