#include <algorithm>

#include "layers/layer_kind.h"
#include "layers/shared/broadcast.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "tieout/error.h"

// The product of matrices in the last two axes.   a: n ... i k, b: n ... k j   ->   y: n ... i j

namespace tieout::layers {

namespace {

void lift(Lifter& lifter) {
  if (lifter.is_keras()) {
    CallArguments arguments(lifter);
    const bool tensors = input_of(arguments.take(0, {"x1", "a"})) && input_of(arguments.take(1, {"x2", "b"}));
    if (!tensors) lifter.refuse("it multiplies by a constant matrix", "use a Dense layer without a bias");
    arguments.finish();
    for (const char* flag : {"transpose_a", "transpose_b", "adjoint_a", "adjoint_b"}) {
      if (lifter.settings().flag(flag, false))
        lifter.refuse("it transposes its inputs", "permute them before");
    }
  }
  if (lifter.input_count() != 2) throw malformed("matmul takes two inputs");
  if (!lifter.input(0).known || !lifter.input(1).known)
    lifter.refuse("it depends on the inputs' ranks, which are not known", "give them with --input-shape");
  const std::size_t rank = lifter.input(0).axes.size();
  if (rank < 3 || lifter.input(1).axes.size() != rank)
    lifter.refuse("its inputs are not two batches of matrices",
                  "give both the same number of axes, 3 or more");
  const std::int64_t left = lifter.size(0, -1);
  const std::int64_t right = lifter.size(1, -2);
  if (left != unknown && right != unknown && left != right)
    throw malformed("it multiplies rows of " + std::to_string(left) + " by columns of " +
                    std::to_string(right));
  lifter.add(lifter.layer("matmul"));
}

Axes without_last(const Axes& axes, std::size_t count) {
  return {axes.begin(), axes.end() - static_cast<std::ptrdiff_t>(count)};
}

std::vector<Axes> infer(const Layer&, const std::vector<Axes>& inputs) {
  Axes out = joined_axes({without_last(inputs[0], 2), without_last(inputs[1], 2)}, Align::right);
  const std::size_t rank = inputs[0].size();
  // Both inputs may be of one value, and their axes of one name.
  out.push_back({free_axis_name(out, "i"), inputs[0][rank - 2].size, {}});
  out.push_back({free_axis_name(out, "j"), inputs[1][rank - 1].size, {}});
  return {out};
}

void lower(Lowerer& lowerer) {
  if (lowerer.to_torch())
    lowerer.add("torch.matmul", Json::object(), "{0} @ {1}");
  else
    lowerer.add_node(operator_node("numpy", "Matmul", Json::object()));
}

std::vector<Array> compute(const Evaluation& e) {
  const std::size_t rank = e.inputs[0]->rank();
  if (e.inputs[0]->size(rank - 1) != e.inputs[1]->size(rank - 2))
    throw malformed("it multiplies rows by columns of another size");
  const auto leading = [&](const Array& x) { return Shape(x.shape.begin(), x.shape.end() - 2); };
  const Array first{leading(*e.inputs[0])};
  const Array second{leading(*e.inputs[1])};
  const Shape batch = joined_shape({&first, &second}, Align::right);
  const auto widened = [&](const Array& x) {
    Shape shape = batch;
    shape.insert(shape.end(), x.shape.end() - 2, x.shape.end());
    return broadcast(x, shape, Align::right);
  };
  const Array a = widened(*e.inputs[0]);
  const Array b = widened(*e.inputs[1]);
  const auto rows = static_cast<std::size_t>(a.size(rank - 2));
  const auto inner = static_cast<std::size_t>(a.size(rank - 1));
  const auto columns = static_cast<std::size_t>(b.size(rank - 1));
  Shape shape = a.shape;
  shape.back() = b.shape.back();
  Array y(shape);
  for (std::size_t m = 0; m < element_count(batch); ++m) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < inner; ++k) {
        const double left = a.data[(m * rows + i) * inner + k];
        for (std::size_t j = 0; j < columns; ++j)
          y.data[(m * rows + i) * columns + j] += left * b.data[(m * inner + k) * columns + j];
      }
    }
  }
  return {y};
}

}  // namespace

LayerKind matmul() {
  LayerKind kind;
  kind.name = "matmul";
  kind.torch = exact({"torch.matmul"});
  kind.keras = exact({"ops.Matmul", "tf.linalg.matmul"});
  kind.keras.push_back(
      {"ops.Dot", Status::refused,
       "it joins each sample with all samples of the other batch; use ops.matmul or ops.einsum"});
  kind.summary = "The product of matrices in the last two axes.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.matmul.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.cases = {
      operator_case("sequences", "Matmul", Json::object(), {{2, 4, 5}, {2, 5, 3}}),
      operator_case("images", "Matmul", Json::object(), {{2, 4, 5, 3}, {2, 4, 3, 6}}),
      operator_case("one matrix for all rows", "Matmul", Json::object(), {{2, 4, 5, 3}, {2, 1, 3, 6}})};
  return kind;
}

}  // namespace tieout::layers
