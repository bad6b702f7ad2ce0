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

Mistake swapped(const std::string& name, const std::string& message, const std::string& first,
                const std::string& second) {
  const auto mutate = [=](Layer& layer, Framework, const std::vector<Axes>&) {
    return swap_axes(layer, first, second);
  };
  return {name, message, mutate};
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

std::vector<Mistake> convolution_mistakes(std::size_t rank, bool depthwise) {
  std::vector<Mistake> all = {same_padding_mistake()};
  if (depthwise) {
    all.push_back({"multiplier_first",
                   "the output channels stand as (multiplier, channel) for (channel, multiplier)",
                   multiplier_first});
  } else {
    all.push_back(
        swapped("in_out", "the kernel's input and output channels stand in each other's place", "i", "o"));
  }
  if (rank > 1)
    all.push_back(
        swapped("rows_columns", "the kernel's rows and columns stand in each other's place", "h", "w"));
  return all;
}

}  // namespace tieout
