#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/record/class_name.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

// One number for all those along some axes.   x: n ... a ...   ->   y: n ... ...
//
// Settings: function, its name below; axes, in the input's own order, never the batch; keepdims, whether they
// stay with one cell. Variances divide by the number of cells (Keras' only way).

namespace tieout::layers {

namespace {

using Row = const double*;

double sum_of(Row row, std::int64_t size) {
  return std::accumulate(row, row + size, 0.0);
}
double mean_of(Row row, std::int64_t size) {
  return sum_of(row, size) / static_cast<double>(size);
}
double product_of(Row row, std::int64_t size) {
  return std::accumulate(row, row + size, 1.0, [](double a, double b) { return a * b; });
}
double largest_of(Row row, std::int64_t size) {
  return *std::max_element(row, row + size);
}
double smallest_of(Row row, std::int64_t size) {
  return *std::min_element(row, row + size);
}
double variance_of(Row row, std::int64_t size) {
  const double mean = mean_of(row, size);
  double sum = 0;
  for (std::int64_t k = 0; k < size; ++k) sum += (row[k] - mean) * (row[k] - mean);
  return sum / static_cast<double>(size);
}
double deviation_of(Row row, std::int64_t size) {
  return std::sqrt(variance_of(row, size));
}
double log_sum_of(Row row, std::int64_t size) {
  const double top = largest_of(row, size);
  double sum = 0;
  for (std::int64_t k = 0; k < size; ++k) sum += std::exp(row[k] - top);
  return top + std::log(sum);
}
double place_of_largest(Row row, std::int64_t size) {
  return static_cast<double>(std::max_element(row, row + size) - row);
}
double place_of_smallest(Row row, std::int64_t size) {
  return static_cast<double>(std::min_element(row, row + size) - row);
}

double any_of(Row row, std::int64_t size) {
  return std::any_of(row, row + size, [](double x) { return x != 0; }) ? 1.0 : 0.0;
}
double all_of(Row row, std::int64_t size) {
  return std::all_of(row, row + size, [](double x) { return x != 0; }) ? 1.0 : 0.0;
}

struct Reduction {
  std::string name;
  std::string keras_operator;
  std::vector<std::string> other_names;
  std::string torch_method;
  double (*value)(Row, std::int64_t);
  std::string module = "numpy";
  bool one_axis = false;  // takes one axis only in PyTorch or in Keras
};

const std::vector<Reduction>& reductions() {
  static const std::vector<Reduction> all = {
      {"mean", "Mean", {"tf.math.reduce_mean"}, "mean", mean_of},
      {"sum", "Sum", {"tf.math.reduce_sum"}, "sum", sum_of},
      {"product", "Prod", {"tf.math.reduce_prod"}, "prod", product_of, "numpy", true},
      {"max", "Max", {"ops.Amax", "tf.math.reduce_max"}, "amax", largest_of},
      {"min", "Min", {"ops.Amin", "tf.math.reduce_min"}, "amin", smallest_of},
      {"variance", "Var", {"tf.math.reduce_variance"}, "var", variance_of},
      {"deviation", "Std", {"tf.math.reduce_std"}, "std", deviation_of},
      {"logsumexp", "Logsumexp", {"tf.math.reduce_logsumexp"}, "logsumexp", log_sum_of, "math"},
      {"any", "Any", {"tf.math.reduce_any"}, "any", any_of},
      {"all", "All", {"tf.math.reduce_all"}, "all", all_of},
      {"argmax", "Argmax", {}, "argmax", place_of_largest, "numpy", true},
      {"argmin", "Argmin", {}, "argmin", place_of_smallest, "numpy", true}};
  return all;
}

const Reduction& reduction_of(const Layer& layer) {
  const std::string name = layer.settings.at("function").get<std::string>();
  const auto found = std::ranges::find(reductions(), name, &Reduction::name);
  if (found == reductions().end()) throw internal_error("there is no reduction " + name);
  return *found;
}

bool reads(const Reduction& reduction, const std::string& name) {
  return name == "torch." + reduction.torch_method || name == "ops." + reduction.keras_operator ||
         std::ranges::find(reduction.other_names, name) != reduction.other_names.end();
}

void lift(Lifter& lifter) {
  const std::string name = listed_class(lifter.node());
  const auto found =
      std::ranges::find_if(reductions(), [&](const Reduction& one) { return reads(one, name); });
  if (found == reductions().end()) throw internal_error("reduce does not read " + name);
  Json axis;
  Json keepdims;
  if (lifter.is_torch()) {
    axis = lifter.settings().raw("dim");
    keepdims = lifter.settings().raw("keepdim");
  } else {
    CallArguments arguments(lifter);
    arguments.take(0, {"x", "input_tensor"});
    axis = arguments.take_or_setting(1, {"axis"});
    keepdims = arguments.take_or_setting(2, {"keepdims"});
    arguments.finish();
    for (const char* other : {"initial", "dtype"}) {
      if (lifter.settings().has(other))
        lifter.refuse("its " + std::string(other) + " has no counterpart", "leave it out");
    }
  }
  Layer layer = lifter.layer("reduce");
  const auto axes = read_axes(lifter, axis);
  if (!axes.empty() && axes.front() == 0)
    lifter.refuse("it reduces the batch", "give it the axes of a sample");
  if (found->one_axis && axes.size() != 1 && found->value != product_of)
    lifter.refuse("it works along several axes", "give it one axis");
  layer.settings = {{"function", found->name}, {"axes", axes}, {"keepdims", keepdims == true}};
  lifter.add(std::move(layer));
}

bool is_reduced(const Layer& layer, std::size_t axis) {
  const auto axes = layer.settings["axes"].get<std::vector<std::size_t>>();
  return std::ranges::find(axes, axis) != axes.end();
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  Axes out;
  for (std::size_t k = 0; k < inputs[0].size(); ++k) {
    if (!is_reduced(layer, k))
      out.push_back(inputs[0][k]);
    else if (layer.settings["keepdims"] == true)
      out.push_back({inputs[0][k].name, 1, {}});
  }
  return {out};
}

// torch.prod takes one axis: the last one first, so that the others keep their numbers.
std::string torch_call(const Reduction& reduction, const std::vector<std::int64_t>& axes, bool keepdims) {
  const std::string keep = keepdims ? ", keepdim=True" : "";
  std::string call = "{0}";
  if (reduction.one_axis) {
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
      call += "." + reduction.torch_method + "(dim=" + std::to_string(*axis) + keep + ")";
    return call;
  }
  const bool divides = reduction.value == variance_of || reduction.value == deviation_of;
  const std::string dims = axes.size() == 1 ? std::to_string(axes[0]) : python_tuple(axes);
  return call + "." + reduction.torch_method + "(dim=" + dims + (divides ? ", correction=0" : "") + keep +
         ")";
}

void lower(Lowerer& lowerer) {
  const Reduction& reduction = reduction_of(lowerer.layer());
  const auto axes = target_axes(lowerer);
  const bool keepdims = lowerer.layer().settings["keepdims"] == true;
  if (lowerer.to_torch()) {
    lowerer.add("torch." + reduction.torch_method, {{"dim", axes}, {"keepdim", keepdims}},
                torch_call(reduction, axes, keepdims));
    return;
  }
  const Json axis = axes.size() == 1 ? Json(axes[0]) : Json(axes);
  lowerer.add_node(
      operator_node(reduction.module, reduction.keras_operator, {{"axis", axis}, {"keepdims", keepdims}}));
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  std::vector<int> order;
  Shape kept;
  std::int64_t row = 1;
  for (std::size_t k = 0; k < x.rank(); ++k) {
    if (!is_reduced(e.layer, k)) order.push_back(static_cast<int>(k));
  }
  for (std::size_t k = 0; k < x.rank(); ++k) {
    if (is_reduced(e.layer, k)) {
      order.push_back(static_cast<int>(k));
      row *= x.size(k);
      if (e.flag("keepdims")) kept.push_back(1);
    } else {
      kept.push_back(x.size(k));
    }
  }
  if (row == 0) throw malformed("it reduces an axis without cells");
  const Array rows = permuted(x, order);
  Array y(kept);
  for (std::size_t at = 0; at < y.count(); ++at)
    y.data[at] = reduction_of(e.layer).value(rows.data.data() + at * static_cast<std::size_t>(row), row);
  return {y};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& one : reductions()) {
    const auto add = [&](const std::string& name, const Json& axis, bool keepdims, const Shape& shape) {
      all.push_back(
          operator_case(name, one.keras_operator, {{"axis", axis}, {"keepdims", keepdims}}, {shape}));
      if (one.name == "any" || one.name == "all") all.back().inputs = "indices:2";
    };
    add("channels", -1, false, {2, 4, 5, 3});
    add("rows, kept", 1, true, {2, 4, 5, 3});
    if (one.name == "mean" || one.name == "product" || one.name == "variance" || one.name == "max") {
      add("rows and columns", Json{1, 2}, false, {2, 4, 5, 3});
      add("a sequence", 1, false, {2, 5, 3});
    }
  }
  return all;
}

}  // namespace

LayerKind reduce() {
  LayerKind kind;
  kind.name = "reduce";
  for (const auto& one : reductions()) {
    kind.torch.push_back({"torch." + one.torch_method, Status::exact, ""});
    kind.keras.push_back({"ops." + one.keras_operator, Status::exact, ""});
    for (const auto& name : one.other_names) kind.keras.push_back({name, Status::exact, ""});
  }
  kind.summary = "One number (mean, sum, largest, variance, ...) for all those along some axes.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/torch.html#reduction-ops",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.compute = compute;
  kind.mistakes = {
      other_layout_mistake("it reduces the axes that have these numbers in the other framework's layout")};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
