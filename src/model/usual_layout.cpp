#include "model/usual_layout.h"

#include <algorithm>
#include <utility>

namespace tieout {

namespace {

// What is left without batch and channels.
std::vector<std::string> spatial_order(std::vector<std::string> names) {
  std::erase(names, "n");
  std::erase(names, "c");
  return names;
}

}  // namespace

std::vector<std::string> names_of(const Axes& axes) {
  std::vector<std::string> names;
  for (const auto& axis : axes) names.push_back(axis.name);
  return names;
}

std::vector<std::string> usual_layout(const Axes& axes, Framework framework) {
  std::vector<std::string> names = names_of(axes);
  // Steps merged into the batch, "n_step", are one too.
  const auto batch = std::ranges::find_if(names, [](const auto& name) { return name.starts_with("n_"); });
  const std::string batch_name = batch == names.end() ? "n" : std::exchange(*batch, "n");
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  // A sequence of features has its features last in Keras.
  if (framework == Framework::keras && sorted == std::vector<std::string>{"f", "n", "t"})
    return {batch_name, "t", "f"};
  const bool row_of_channels =
      sorted.size() == 3 && sorted[0] == "c" && std::ranges::find(names, "n") != names.end();  // n c l, n c w
  if (!row_of_channels && sorted != std::vector<std::string>{"c", "h", "n", "w"} &&
      sorted != std::vector<std::string>{"c", "d", "h", "n", "w"})
    return {};
  std::vector<std::string> usual = spatial_order(names);
  usual.insert(usual.begin(), batch_name);
  usual.insert(framework == Framework::torch ? usual.begin() + 1 : usual.end(), "c");
  return usual;
}

bool is_usual_layout(const Axes& axes) {
  const auto names = names_of(axes);
  return names == usual_layout(axes, Framework::torch) || names == usual_layout(axes, Framework::keras);
}

}  // namespace tieout
