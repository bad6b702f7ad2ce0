#include "layers/shared/pool_cases.h"

#include "layers/shared/elementwise.h"

namespace tieout {

namespace {

// The first `rank` of three sizes, with batch and channels around them.
Shape torch_shape(std::size_t rank, const Shape& sizes) {
  Shape shape{2, 3};
  shape.insert(shape.end(), sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank));
  return shape;
}

Shape keras_shape(std::size_t rank, const Shape& sizes) {
  Shape shape{2};
  shape.insert(shape.end(), sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank));
  shape.push_back(3);
  return shape;
}

// Keras gets a sum with constant weights, in float32.
Case weighted(Case made) {
  made.keras_rounds_to_float32 = true;
  return made;
}

std::vector<Case> torch_cases(std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const std::string name = (maximum ? "MaxPool" : "AvgPool") + std::to_string(rank) + "d";
  const Shape odd = torch_shape(rank, {7, 9, 5});
  const Shape even = torch_shape(rank, {8, 6, 10});
  std::vector<Case> cases = {
      torch_case("window 2", name, {{"kernel_size", 2}}, torch_shape(rank, {6, 7, 4})),
      torch_case("window 3, stride 2, padding 1, odd", name,
                 {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}}, odd),
      torch_case("window 3, stride 2, padding 1, even", name,
                 {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}}, even),
      torch_case("window 3, stride 1, padding 1", name, {{"kernel_size", 3}, {"stride", 1}, {"padding", 1}},
                 even),
      torch_case("window 2, ceil, odd", name, {{"kernel_size", 2}, {"ceil_mode", true}}, odd),
      torch_case("window 3, stride 2, ceil, even", name,
                 {{"kernel_size", 3}, {"stride", 2}, {"ceil_mode", true}}, even),
      torch_case("window 3, stride 2, ceil, odd", name,
                 {{"kernel_size", 3}, {"stride", 2}, {"ceil_mode", true}}, odd),
      torch_case("window 5, stride 3, padding 1", name, {{"kernel_size", 5}, {"stride", 3}, {"padding", 1}},
                 odd),
  };
  const Json mixed = {{"kernel_size", rank == 1   ? Json(2)
                                      : rank == 2 ? Json{2, 3}
                                                  : Json{2, 3, 2}},
                      {"stride", rank == 1   ? Json(1)
                                 : rank == 2 ? Json{1, 2}
                                             : Json{1, 2, 2}},
                      {"padding", 1}};
  cases.push_back(torch_case("even window, padding 1", name, mixed, odd));
  cases.push_back(torch_case("window 4, stride 2, padding 2, ceil", name,
                             {{"kernel_size", 4}, {"stride", 2}, {"padding", 2}, {"ceil_mode", true}}, odd));
  if (maximum) {
    cases.push_back(
        torch_case("dilation 2", name, {{"kernel_size", 2}, {"stride", 1}, {"dilation", 2}}, odd));
    cases.push_back(torch_case(
        "dilation 2, padding 1, ceil", name,
        {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"dilation", 2}, {"ceil_mode", true}}, even));
  } else {
    cases.push_back(torch_case("padding counted, ceil, even window", name,
                               {{"kernel_size", 2}, {"stride", 3}, {"padding", 1}, {"ceil_mode", true}},
                               odd));
    cases.push_back(weighted(torch_case("another divisor", name,
                                        {{"kernel_size", 2}, {"padding", 1}, {"divisor_override", 3}}, odd)));
    // AvgPool1d has none.
    if (rank == 1) cases.pop_back();
  }
  if (!maximum) {
    cases.push_back(
        torch_case("padding not counted", name,
                   {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"count_include_pad", false}}, even));
    cases.push_back(
        torch_case("padding not counted, stride 1", name,
                   {{"kernel_size", 3}, {"stride", 1}, {"padding", 1}, {"count_include_pad", false}}, odd));
    cases.push_back(torch_case("padding counted, ceil", name,
                               {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"ceil_mode", true}},
                               even));
  }
  return cases;
}

std::vector<Case> keras_cases(std::size_t rank, PoolOf what) {
  const std::string name =
      (what == PoolOf::maximum ? "MaxPooling" : "AveragePooling") + std::to_string(rank) + "D";
  const Shape odd = keras_shape(rank, {7, 9, 5});
  const Shape even = keras_shape(rank, {8, 6, 10});
  return {
      keras_case("window 2", name, {{"pool_size", 2}}, keras_shape(rank, {6, 7, 4})),
      keras_case("window 2, same, odd", name, {{"pool_size", 2}, {"padding", "same"}}, odd),
      keras_case("window 3, stride 2, same, odd", name,
                 {{"pool_size", 3}, {"strides", 2}, {"padding", "same"}}, odd),
      keras_case("window 3, stride 2, same, even", name,
                 {{"pool_size", 3}, {"strides", 2}, {"padding", "same"}}, even),
      keras_case("window 3, stride 1, same", name, {{"pool_size", 3}, {"strides", 1}, {"padding", "same"}},
                 even),
      keras_case("window 2, stride 1, same", name, {{"pool_size", 2}, {"strides", 1}, {"padding", "same"}},
                 even),
      keras_case("window 4, stride 3, same", name, {{"pool_size", 4}, {"strides", 3}, {"padding", "same"}},
                 odd),
      keras_case("window 2, stride 3, same", name, {{"pool_size", 2}, {"strides", 3}, {"padding", "same"}},
                 even),
  };
}

}  // namespace

std::vector<Case> pool_cases(std::size_t rank, PoolOf what) {
  // TensorFlow pools volumes on a CPU in float32 only, and cases are judged in float64.
  if (rank == 3) return {};
  std::vector<Case> cases = torch_cases(rank, what);
  for (auto& test : keras_cases(rank, what)) cases.push_back(std::move(test));
  return cases;
}

}  // namespace tieout
