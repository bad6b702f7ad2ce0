#include "layers/shared/softmax.h"

#include <algorithm>
#include <cmath>

#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// The setting "axis" counts in the value's own order, from 0; from the end (negative) only while the rank is
// unknown.
std::int64_t read_axis(Lifter& lifter) {
  const auto& given = lifter.settings();
  const auto rank = lifter.input().known ? static_cast<std::int64_t>(lifter.input().axes.size()) : 0;
  if (lifter.is_keras()) {
    if (given.has("args") || given.has("kwargs"))
      lifter.refuse("it is called with constants", "use the layer without");
    const auto axes = given.has("axis") ? given.list("axis") : std::vector<std::int64_t>{-1};
    if (axes.size() != 1) lifter.refuse("it takes several axes together", "flatten them first");
    return checked_axis(axes[0], rank);
  }
  if (lifter.node().class_name == "Softmax2d") return 1;
  if (given.has("dim")) return checked_axis(given.integer("dim"), rank);
  if (rank == 0)
    lifter.refuse("its dim depends on the input's rank, which is not known",
                  "say dim, or give --input-shape");
  // torch/nn/functional.py, _get_softmax_dim
  return rank == 1 || rank == 3 ? 0 : 1;
}

std::vector<Array> compute(const Evaluation& e, SoftmaxOf what) {
  return {along_axis(*e.inputs[0], e.integer("axis"), [what](double* row, std::int64_t size) {
    const double top = *std::max_element(row, row + size);
    double sum = 0;
    for (std::int64_t k = 0; k < size; ++k) sum += std::exp(row[k] - top);
    for (std::int64_t k = 0; k < size; ++k) {
      row[k] = what == SoftmaxOf::probability ? std::exp(row[k] - top) / sum : row[k] - top - std::log(sum);
    }
  })};
}

void lower(Lowerer& lowerer, SoftmaxOf what) {
  const auto axis = lowerer.layer().settings["axis"].get<int>();
  const int rank = static_cast<int>(lowerer.axes().size());
  const int target = lowerer.target_axis(0, axis < 0 ? axis + rank : axis);
  if (target == 0) lowerer.refuse("it is taken across the batch", "give it a dim of the sample");
  if (lowerer.to_torch()) {
    lowerer.add(what == SoftmaxOf::probability ? "Softmax" : "LogSoftmax", {{"dim", target}});
  } else if (what == SoftmaxOf::probability) {
    lowerer.add("Softmax", {{"axis", target == rank - 1 ? -1 : target}});
  } else if (target == rank - 1) {
    lowerer.add("Activation", {{"activation", "log_softmax"}});
  } else {
    // Keras has log_softmax as a function of the last axis only.
    const auto swap = [&](const std::string& helper) {
      std::vector<int> dims;
      for (int k = 1; k < rank; ++k) dims.push_back(k == target ? rank - 1 : k == rank - 1 ? target : k);
      lowerer.add("Permute", {{"dims", dims}}, {}, helper);
    };
    swap("swap");
    lowerer.add("Activation", {{"activation", "log_softmax"}});
    swap("swap_back");
  }
}

// The axis that the setting would mean in the other framework's layout.
bool other_axis(Layer& layer, Framework, const std::vector<Axes>& inputs) {
  const auto rank = static_cast<std::int64_t>(inputs.at(0).size());
  const auto axis = layer.settings["axis"].get<std::int64_t>();
  const std::int64_t own = axis < 0 ? axis + rank : axis;
  if (rank < 3 || (own != 1 && own != rank - 1)) return false;
  layer.settings["axis"] = own == 1 ? rank - 1 : 1;
  return true;
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
          keras_case("the function", "Activation", {{"activation", "softmax"}}, {2, 4, 3})};
}

}  // namespace

LayerKind softmax_kind(SoftmaxOf what) {
  const bool probability = what == SoftmaxOf::probability;
  LayerKind kind;
  kind.name = probability ? "softmax" : "log_softmax";
  kind.torch = probability ? exact({"Softmax", "Softmax2d"}) : exact({"LogSoftmax"});
  kind.keras = probability ? exact({"Softmax", "activation:softmax"}) : exact({"activation:log_softmax"});
  kind.summary =
      probability ? "y = exp(x) / sum(exp(x)) along one axis." : "y = x - log(sum(exp(x))) along one axis.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html",
                  "https://keras.io/api/layers/activation_layers/softmax/"};
  kind.lift = [name = kind.name](Lifter& lifter) {
    Layer layer = lifter.layer(name);
    layer.settings = {{"axis", read_axis(lifter)}};
    lifter.add(std::move(layer));
  };
  kind.lower = [what](Lowerer& lowerer) { lower(lowerer, what); };
  kind.compute = [what](const Evaluation& e) { return compute(e, what); };
  kind.absorbs_flatten = true;
  kind.mistakes = {
      {"axis", "it runs along the axis that has this number in the other framework's layout", other_axis}};
  kind.cases = cases(what);
  return kind;
}

}  // namespace tieout
