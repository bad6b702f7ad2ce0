#include "layers/shared/time_steps.h"

#include <algorithm>
#include <string>
#include <utility>

#include "layers/shared/operator_call.h"

namespace tieout {

namespace {

// The merged axis is named "n_step": a split finds again what it is made of.
constexpr char between_names = '_';

// Whether the axes from `first` on have the sizes of `shape` from `first_size` on, all of them known.
bool same_sizes(const Axes& axes, std::size_t first, const std::vector<std::int64_t>& shape,
                std::size_t first_size) {
  if (axes.size() - first != shape.size() - first_size) return false;
  for (std::size_t k = first; k < axes.size(); ++k) {
    if (axes[k].size == unknown || axes[k].size != shape[k - first + first_size]) return false;
  }
  return true;
}

void write_reshape(Lowerer& lowerer, const std::vector<std::int64_t>& behind_the_batch) {
  if (std::ranges::find(behind_the_batch, unknown) != behind_the_batch.end()) {
    lowerer.refuse("steps merged into the batch are a reshape in Keras, which needs to know all sizes",
                   "give them with --input-shape, the steps among them");
  }
  std::vector<std::int64_t> shape{-1};
  shape.insert(shape.end(), behind_the_batch.begin(), behind_the_batch.end());
  FrameworkNode node = operator_node("numpy", "Reshape", {{"newshape", shape}});
  node.inputs = {{lowerer.inputs().at(0), {}}};
  lowerer.add_node(std::move(node));
}

void require_steps_second(Lowerer& lowerer, std::size_t sequence) {
  if (lowerer.target_axis(sequence, lowerer.layer().settings["time"].get<int>()) != 1)
    lowerer.refuse("the steps that are merged into the batch do not lie beside it", "move them there first");
}

std::vector<std::int64_t> sizes_from(const Axes& axes, std::size_t first) {
  std::vector<std::int64_t> sizes;
  for (std::size_t k = first; k < axes.size(); ++k) sizes.push_back(axes[k].size);
  return sizes;
}

}  // namespace

void add_merge_time(Lifter& lifter, int time) {
  if (!lifter.input().known || lifter.input().axes.size() < 3)
    lifter.refuse("the rank of its input is not known", "give the model's input shape with --input-shape");
  const Axes axes = lifter.input().axes;
  // Not "t": what runs at each step may have a time axis of its own, or merge steps itself.
  std::string step = "step";
  while (std::ranges::find(axes, step, &Axis::name) != axes.end()) step += "s";
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  names[0] = "n";
  names.at(static_cast<std::size_t>(time)) = step;
  lifter.roles(0, names);
  Layer layer = lifter.layer("merge_time");
  layer.inputs.resize(1);
  layer.settings = {{"time", time}};
  lifter.add(std::move(layer));
}

void add_split_time(Lifter& lifter, int sequence, int time) {
  Layer layer = lifter.layer("split_time");
  layer.inputs = {layer.inputs.at(0), sequence};
  layer.settings = {{"time", time}};
  lifter.add(std::move(layer));
}

bool add_steps_of_reshape(Lifter& lifter, const std::vector<std::int64_t>& shape) {
  if (!lifter.input().known || shape.size() < 2 || shape[0] != -1) return false;
  const Axes& axes = lifter.input().axes;
  if (axes.size() == shape.size() + 1 && axes[1].size != unknown && same_sizes(axes, 2, shape, 1)) {
    add_merge_time(lifter, 1);
    return true;
  }
  const bool merged = axes[0].name.find(between_names, 1) != std::string::npos;
  if (!merged || shape.size() != axes.size() + 1 || shape[1] < 1 || !same_sizes(axes, 1, shape, 2))
    return false;
  Layer layer = lifter.layer("split_time");
  layer.settings = {{"time", 1}, {"steps", shape[1]}};
  lifter.add(std::move(layer));
  return true;
}

Axes merged_steps(const Layer& layer, const Axes& sequence) {
  Axes merged = sequence;
  const auto time = merged.begin() + layer.settings["time"].get<std::ptrdiff_t>();
  merged[0] = {merged[0].name + between_names + time->name, unknown, {}};
  merged.erase(time);
  return merged;
}

Axes split_steps(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes split = inputs[0];
  if (inputs.size() > 1) {
    split[0] = inputs[1].at(0);
    split.insert(split.begin() + 1, inputs[1].at(layer.settings["time"].get<std::size_t>()));
    return split;
  }
  const std::string merged = split[0].name;
  const auto between = merged.rfind(between_names);
  split[0].name = merged.substr(0, between);
  split.insert(split.begin() + 1,
               {merged.substr(between + 1), layer.settings["steps"].get<std::int64_t>(), {}});
  return split;
}

void write_merge_as_reshape(Lowerer& lowerer) {
  require_steps_second(lowerer, 0);
  if (lowerer.axes(0).at(1).size == unknown) write_reshape(lowerer, {unknown});
  write_reshape(lowerer, sizes_from(lowerer.axes(0), 2));
}

void write_split_as_reshape(Lowerer& lowerer) {
  std::vector<std::int64_t> shape = sizes_from(lowerer.axes(0), 1);
  const bool counts = lowerer.inputs().size() == 1;
  if (!counts) require_steps_second(lowerer, 1);
  shape.insert(shape.begin(),
               counts ? lowerer.layer().settings["steps"].get<std::int64_t>() : lowerer.axes(1).at(1).size);
  write_reshape(lowerer, shape);
}

}  // namespace tieout
