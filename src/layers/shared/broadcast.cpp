#include "layers/shared/broadcast.h"

#include <algorithm>

#include "layers/shared/operator_call.h"
#include "tieout/error.h"

namespace tieout {

namespace {

constexpr const char* unit_name = "one";

bool is_unit_name(const std::string& name) {
  return name.starts_with(unit_name);
}

std::size_t largest_rank(const std::vector<Axes>& inputs) {
  std::size_t rank = 0;
  for (const auto& input : inputs) rank = std::max(rank, input.size());
  return rank;
}

// The input that says what the joined axis is: the first of more than one cell; otherwise the first whose
// axis was not made for the joining.
const Axis& axis_that_names(const std::vector<const Axis*>& met) {
  const auto wide = std::ranges::find_if(met, [](const Axis* axis) { return axis->size != 1; });
  if (wide != met.end()) return **wide;
  const auto named = std::ranges::find_if(met, [](const Axis* axis) { return !is_unit_name(axis->name); });
  return named != met.end() ? **named : *met.at(0);
}

std::int64_t joined_size(const std::vector<const Axis*>& met) {
  std::int64_t size = 1;
  for (const Axis* axis : met) {
    if (axis->size == 1 || axis->size == size) continue;
    if (axis->size == unknown || size == unknown || size == 1) {
      // Of an unknown and a known size the known one is right: the unknown can only be that or 1.
      size = size == 1 || size == unknown ? axis->size : size;
      continue;
    }
    throw malformed("inputs of " + std::to_string(size) + " and " + std::to_string(axis->size) +
                    " cells along one axis");
  }
  return size;
}

// Where each of the axes lies in `in`.
std::vector<int> places_of(const Axes& axes, const Axes& in) {
  std::vector<int> places;
  for (const auto& axis : axes) {
    const auto found = std::ranges::find(in, axis.name, &Axis::name);
    if (found == in.end()) throw internal_error("the axis " + axis.name + " is lost between two layers");
    places.push_back(static_cast<int>(found - in.begin()));
  }
  return places;
}

}  // namespace

std::vector<int> aligned(std::size_t rank, std::size_t joined_rank, Align align) {
  std::vector<int> places(joined_rank, -1);
  const auto missing = joined_rank - rank;
  for (std::size_t k = 0; k < rank; ++k) places.at(missing + k) = static_cast<int>(k);
  if (missing == 0 || rank == 0) return places;
  if (align == Align::right) {
    throw Refusal{"it aligns the batch of an input of " + std::to_string(rank) + " axes with axis " +
                      std::to_string(missing) + " of one of " + std::to_string(joined_rank),
                  "reshape the smaller one to the same number of axes"};
  }
  std::swap(places[0], places[missing]);
  return places;
}

Align align_of(const Layer& layer) {
  return layer.settings.value("align", "right") == "behind_batch" ? Align::behind_batch : Align::right;
}

Axes joined_axes(const std::vector<Axes>& inputs, Align align) {
  const std::size_t rank = largest_rank(inputs);
  Axes out;
  for (std::size_t p = 0; p < rank; ++p) {
    std::vector<const Axis*> met;
    for (const auto& input : inputs) {
      const int place = aligned(input.size(), rank, align)[p];
      if (place >= 0) met.push_back(&input[static_cast<std::size_t>(place)]);
    }
    Axis axis = axis_that_names(met);
    axis.size = joined_size(met);
    axis.name = free_axis_name(out, axis.name);
    out.push_back(std::move(axis));
  }
  return out;
}

Shape joined_shape(const std::vector<const Array*>& inputs, Align align) {
  std::vector<Axes> axes;
  for (const Array* input : inputs) {
    axes.emplace_back();
    for (const std::int64_t size : input->shape) axes.back().push_back({"a", size, {}});
  }
  try {
    return shape_of(joined_axes(axes, align));
  } catch (const Refusal& refusal) {  // seen only now that the ranks are known
    throw malformed(refusal.reason);
  }
}

Array broadcast(const Array& x, const Shape& shape, Align align) {
  if (x.shape == shape) return x;
  const auto places = aligned(x.rank(), shape.size(), align);
  // The step in x for one cell along each joined axis.
  std::vector<std::size_t> steps(shape.size(), 0);
  for (std::size_t p = 0; p < shape.size(); ++p) {
    if (places[p] < 0 || x.size(static_cast<std::size_t>(places[p])) == 1) continue;
    steps[p] = 1;
    for (auto k = static_cast<std::size_t>(places[p]) + 1; k < x.rank(); ++k)
      steps[p] *= static_cast<std::size_t>(x.size(k));
  }
  Array y(shape);
  std::vector<std::int64_t> at(shape.size(), 0);
  std::size_t from = 0;
  for (double& value : y.data) {
    value = x.data[from];
    for (std::size_t p = shape.size(); p-- > 0;) {
      from += steps[p];
      if (++at[p] < shape[p]) break;
      from -= steps[p] * static_cast<std::size_t>(shape[p]);
      at[p] = 0;
    }
  }
  return y;
}

Arranged brought_together(Lowerer& lowerer) {
  const std::vector<ValueRef> inputs = lowerer.inputs();
  Arranged out{inputs, {}};
  std::vector<Axes> source;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    source.push_back(lowerer.source_axes(k));
    out.axes.push_back(lowerer.axes(k));
  }
  const std::size_t rank = largest_rank(source);
  const auto first = static_cast<std::size_t>(
      std::ranges::find_if(source, [&](const Axes& axes) { return axes.size() == rank; }) - source.begin());
  const std::vector<int> order = places_of(out.axes[first], source[first]);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto places = aligned(source[k].size(), rank, align_of(lowerer.layer()));
    Axes wanted;               // the input's own axes, in the order needed
    std::vector<int> missing;  // places of new ones
    for (std::size_t p = 0; p < rank; ++p) {
      const int place = places[static_cast<std::size_t>(order[p])];
      if (place < 0) {
        missing.push_back(static_cast<int>(p));
      } else {
        wanted.push_back(source[k][static_cast<std::size_t>(place)]);
      }
    }
    const std::vector<int> dims = places_of(wanted, out.axes[k]);
    if (!std::ranges::is_sorted(dims)) add_permute(lowerer, out.values[k], dims, "permute");
    if (!std::ranges::is_sorted(dims)) out.values[k] = lowerer.inputs().at(0);
    if (!missing.empty()) add_expand(lowerer, out.values[k], missing, "expand");
    if (!missing.empty()) out.values[k] = lowerer.inputs().at(0);
    if (out.values[k] != inputs[k]) out.axes[k] = lowerer.axes();
  }
  return out;
}

void add_permute(Lowerer& lowerer, const ValueRef& value, const std::vector<int>& dims,
                 const std::string& helper) {
  FrameworkNode node;
  node.inputs = {{value, {}}};
  if (lowerer.to_torch()) {
    node.class_name = "torch.permute";
    node.settings = {{"dims", dims}};
    node.call = "{0}.permute" + python_tuple({dims.begin(), dims.end()});
  } else if (dims.front() == 0) {
    node.class_name = "Permute";
    node.settings = {{"dims", std::vector<int>(dims.begin() + 1, dims.end())}};
  } else {
    node = operator_node("numpy", "Transpose", {{"axes", dims}});
    node.inputs = {{value, {}}};
  }
  lowerer.add_node(std::move(node), helper);
}

void add_expand(Lowerer& lowerer, const ValueRef& value, const std::vector<int>& places,
                const std::string& helper) {
  FrameworkNode node;
  if (lowerer.to_torch()) {
    node.class_name = "torch.unsqueeze";
    node.settings = {{"places", places}};
    std::string index;
    for (int p = 0; p <= places.back(); ++p) {
      const bool is_new = std::ranges::find(places, p) != places.end();
      index += std::string(p == 0 ? "" : ", ") + (is_new ? "None" : ":");
    }
    node.call = "{0}[" + index + "]";
  } else {
    node = operator_node("numpy", "ExpandDims", {{"axis", places}});
  }
  node.inputs = {{value, {}}};
  lowerer.add_node(std::move(node), helper);
}

std::string unit_axis_name(const Axes& axes) {
  return free_axis_name(axes, unit_name);
}

}  // namespace tieout
