#include "layers/shared/softmax.h"

#include <algorithm>
#include <cmath>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/keras_operation.h"
#include "layers/shared/read_axes.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::vector<Array> compute(const Evaluation& e, SoftmaxOf what) {
  const auto rank = static_cast<std::int64_t>(e.inputs[0]->rank());
  std::vector<int> axes;
  for (const std::int64_t axis : e.integers("axes"))
    axes.push_back(static_cast<int>(checked_axis(axis, rank)));
  return {along_axes(*e.inputs[0], axes, [what](double* row, std::int64_t size) {
    const double top = *std::max_element(row, row + size);
    double sum = 0;
    for (std::int64_t k = 0; k < size; ++k) sum += std::exp(row[k] - top);
    for (std::int64_t k = 0; k < size; ++k) {
      row[k] = what == SoftmaxOf::probability ? std::exp(row[k] - top) / sum : row[k] - top - std::log(sum);
    }
  })};
}

// Along several axes together; neither framework's layer writes a log_softmax of that.
void lower_several(Lowerer& lowerer, const std::vector<int>& axes) {
  if (lowerer.to_keras()) {
    lowerer.add("Softmax", {{"axis", axes}});
    return;
  }
  std::string dims;
  for (const int axis : axes) dims += (dims.empty() ? "" : ", ") + std::to_string(axis);
  lowerer.add("torch.softmax", {{"dim", axes}},
              "torch.exp({0} - torch.logsumexp({0}, dim=(" + dims + "), keepdim=True))");
}

void lower(Lowerer& lowerer, SoftmaxOf what) {
  const int rank = static_cast<int>(lowerer.axes().size());
  std::vector<int> axes;
  for (const auto& axis : lowerer.layer().settings["axes"]) {
    const int own = axis.get<int>();
    axes.push_back(lowerer.target_axis(0, own < 0 ? own + rank : own));
  }
  std::ranges::sort(axes);
  if (axes[0] == 0) lowerer.refuse("it is taken across the batch", "give it a dim of the sample");
  if (axes.size() > 1) {
    lower_several(lowerer, axes);
    return;
  }
  const int target = axes[0];
  if (lowerer.to_torch()) {
    lowerer.add(what == SoftmaxOf::probability ? "Softmax" : "LogSoftmax", {{"dim", target}});
  } else if (what == SoftmaxOf::probability) {
    lowerer.add("Softmax", {{"axis", target == rank - 1 ? -1 : target}});
  } else if (target == rank - 1) {
    lowerer.add("Activation", {{"activation", "log_softmax"}});
  } else {
    add_operation(lowerer, "LogSoftmax", {{"axis", target}});
  }
}

std::vector<Case> cases(SoftmaxOf what) {
  if (what == SoftmaxOf::logarithm) {
    return {torch_case("classes", "LogSoftmax", {{"dim", 1}}, {3, 5}),
            torch_case("channels of an image", "LogSoftmax", {{"dim", 1}}, {2, 3, 4, 5}),
            torch_case("rows of an image", "LogSoftmax", {{"dim", 2}}, {2, 3, 4, 5}),
            keras_case("classes", "Activation", {{"activation", "log_softmax"}}, {3, 5}),
            keras_case("channels of an image", "Activation", {{"activation", "log_softmax"}}, {2, 4, 5, 3})};
  }
  return {torch_case("classes", "Softmax", {{"dim", 1}}, {3, 5}),
          torch_case("channels of an image", "Softmax", {{"dim", 1}}, {2, 3, 4, 5}),
          torch_case("last axis of an image", "Softmax", {{"dim", -1}}, {2, 3, 4, 5}),
          torch_case("no dim, rank 2", "Softmax", Json::object(), {3, 5}),
          torch_case("no dim, rank 4", "Softmax", Json::object(), {2, 3, 4, 5}),
          torch_case("Softmax2d", "Softmax2d", Json::object(), {2, 3, 4, 5}),
          keras_case("default", "Softmax", Json::object(), {3, 5}),
          keras_case("channels of an image", "Softmax", Json::object(), {2, 4, 5, 3}),
          keras_case("rows of an image", "Softmax", {{"axis", 1}}, {2, 4, 5, 3}),
          keras_case("rows and columns", "Softmax", {{"axis", Json::array({1, 2})}}, {2, 4, 5, 3}),
          keras_case("the function", "Activation", {{"activation", "softmax"}}, {2, 4, 3})};
}

}  // namespace

std::vector<std::int64_t> softmax_axes(Lifter& lifter) {
  const auto& given = lifter.settings();
  const auto rank = lifter.input().known ? static_cast<std::int64_t>(lifter.input().axes.size()) : 0;
  std::vector<std::int64_t> axes;
  if (lifter.is_keras()) {
    if (given.has("args") || given.has("kwargs"))
      lifter.refuse("it is called with constants", "use the layer without");
    axes = given.has("axis") ? given.list("axis") : std::vector<std::int64_t>{-1};
  } else if (lifter.node().class_name == "Softmax2d") {
    axes = {rank == 3 ? 0 : 1};  // without a batch, the channels are the first axis
  } else if (given.has("dim")) {
    axes = given.list("dim");
  } else {
    if (rank == 0)
      lifter.refuse("its dim depends on the input's rank, which is not known",
                    "say dim, or give --input-shape");
    axes = {rank == 1 || rank == 3 ? 0 : 1};  // torch/nn/functional.py, _get_softmax_dim
  }
  for (auto& axis : axes) axis = checked_axis(axis, rank);
  std::ranges::sort(axes);
  if (axes.empty()) lifter.refuse("it has no axis", "give it one");
  return axes;
}

LayerKind softmax_kind(SoftmaxOf what) {
  const bool probability = what == SoftmaxOf::probability;
  LayerKind kind;
  kind.name = probability ? "softmax" : "log_softmax";
  kind.torch = probability ? exact({"Softmax", "Softmax2d", "torch.softmax"}) : exact({"LogSoftmax"});
  kind.keras = probability ? exact({"Softmax", "activation:softmax"})
                           : exact({"activation:log_softmax", "LogSoftmax"});
  kind.summary = probability ? "y = exp(x) / sum(exp(x)) along one axis, or several together."
                             : "y = x - log(sum(exp(x))) along one axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html",
                  "https://keras.io/api/layers/activation_layers/softmax/"};
  kind.lift = [name = kind.name](Lifter& lifter) {
    Layer layer = lifter.layer(name);
    layer.settings = {{"axes", softmax_axes(lifter)}};
    lifter.add(std::move(layer));
  };
  kind.lower = [what](Lowerer& lowerer) { lower(lowerer, what); };
  kind.compute = [what](const Evaluation& e) { return compute(e, what); };
  kind.absorbs_flatten = true;
  kind.mistakes = {
      other_layout_mistake("it runs along the axis that has this number in the other framework's layout")};
  kind.cases = cases(what);
  return kind;
}

}  // namespace tieout
