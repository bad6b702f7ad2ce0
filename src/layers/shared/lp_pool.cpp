#include "layers/shared/lp_pool.h"

#include <cmath>

#include "layers/shared/composition.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/pool.h"

namespace tieout {

namespace {

void lift(Lifter& lifter, std::size_t rank) {
  const double norm = lifter.settings().number("norm_type", 2);
  if (!std::isfinite(norm) || norm == 0)
    lifter.refuse("its norm_type is not a finite power", "use nn.MaxPool of the absolute values");
  const auto order = image_order(lifter, rank);
  Layer mean = lifter.layer("avg_pool" + std::to_string(rank) + "d");
  mean.name += "_mean";
  mean.orders = {order};
  mean.settings = read_pool(lifter, order, PoolOf::mean);
  std::int64_t cells = 1;
  for (const auto& size : mean.settings["kernel"]) cells *= size.get<std::int64_t>();
  add_part(lifter, "binary_function", power_of(norm));
  mean.inputs = lifter.outputs();
  lifter.add(std::move(mean));
  add_part(lifter, "multiply", with_number(cells), "sum");
  add_root(lifter, norm);
}

std::vector<Case> cases(std::size_t rank) {
  const std::string name = "LPPool" + std::to_string(rank) + "d";
  const auto of_rank = [rank](Shape shape) {
    shape.resize(rank + 2);
    return shape;
  };
  const Shape shape = of_rank({2, 3, 7, 8, 5});
  // In Keras a sum with constant weights.
  std::vector<Case> all = {torch_case("window 4, ceil, one cell left", name,
                                      {{"norm_type", 2}, {"kernel_size", 4}, {"ceil_mode", true}},
                                      of_rank({2, 3, 5, 9, 5}))};
  // TensorFlow has no float64 pools of volumes on a CPU: tests/judges/test_volume_pools.py has them in
  // float32.
  if (rank == 3) return all;
  const Json wide = {{"norm_type", 2}, {"kernel_size", 3}, {"stride", 2}, {"ceil_mode", true}};
  all.push_back(torch_case("window 2", name, {{"norm_type", 2}, {"kernel_size", 2}}, shape));
  all.push_back(torch_case("window 3, stride 2, ceil", name, wide, shape));
  all.push_back(
      torch_case("fourth power", name, {{"norm_type", 4}, {"kernel_size", 2}, {"stride", 1}}, shape));
  all.push_back(torch_case("sum", name, {{"norm_type", 1}, {"kernel_size", 2}}, shape));
  all.push_back(torch_case("power 2.5, positive", name, {{"norm_type", 2.5}, {"kernel_size", 3}}, shape));
  all.back().inputs = "positive";
  (all.end() - 2)->inputs = "positive";
  return all;
}

}  // namespace

LayerKind lp_pool_kind(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  LayerKind kind;
  kind.name = "lp_pool" + digit + "d";
  kind.torch = {{"LPPool" + digit + "d", Status::composed,
                 "keras.ops Power, AveragePooling" + digit +
                     "D, Multiply by the window's cells, Power and Where for the root"}};
  kind.summary = "The p-norm of each window of x (n c s...).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html"};
  kind.lift = [rank](Lifter& lifter) { lift(lifter, rank); };
  kind.cases = cases(rank);
  return kind;
}

}  // namespace tieout
