#include "layers/shared/elementwise.h"
#include "layers/shared/padding.h"

namespace tieout {

std::vector<Case> pad_cases(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  Json torch_sides = {1, 2, 3, 0, 2, 1};
  torch_sides.get_ref<Json::array_t&>().resize(2 * rank);
  Json torch_crop = {-1, 2, 1, -2, 0, -1};
  torch_crop.get_ref<Json::array_t&>().resize(2 * rank);
  Json keras_sides = {{1, 2}, {3, 0}, {0, 1}};
  keras_sides.get_ref<Json::array_t&>().resize(rank);
  if (rank == 1) keras_sides = keras_sides[0];
  Shape channels_first{2, 3, 4, 5, 6};
  channels_first.resize(rank + 2);
  Shape channels_last{2, 4, 5, 6};
  channels_last.resize(rank + 1);
  channels_last.push_back(3);
  Json torch_own = {1, 2, 3, 0, 2, 1};
  torch_own.get_ref<Json::array_t&>().resize(2 * rank);
  const std::string end = "Pad" + digit + "d";
  return {
      torch_case("each side", "Reflection" + end, {{"padding", torch_own}}, channels_first),
      torch_case("1", "Reflection" + end, {{"padding", 1}}, channels_first),
      torch_case("each side", "Replication" + end, {{"padding", torch_own}}, channels_first),
      torch_case("1", "Replication" + end, {{"padding", 1}}, channels_first),
      torch_case("each side", "Circular" + end, {{"padding", torch_own}}, channels_first),
      torch_case("1", "Circular" + end, {{"padding", 1}}, channels_first),
      torch_case("another constant", "Constant" + end, {{"padding", torch_sides}, {"value", 0.1}},
                 channels_first),
      torch_case("another constant, cropping", "Constant" + end, {{"padding", torch_crop}, {"value", -2.5}},
                 channels_first),
      torch_case("the same everywhere", "ZeroPad" + digit + "d", {{"padding", 2}}, channels_first),
      torch_case("each side", "ZeroPad" + digit + "d", {{"padding", torch_sides}}, channels_first),
      torch_case("negative sides crop", "ZeroPad" + digit + "d", {{"padding", torch_crop}}, channels_first),
      torch_case("a constant 0", "ConstantPad" + digit + "d", {{"padding", 1}, {"value", 0.0}},
                 channels_first),
      keras_case("default", "ZeroPadding" + digit + "D", Json::object(), channels_last),
      keras_case("each side", "ZeroPadding" + digit + "D", {{"padding", keras_sides}}, channels_last),
      keras_case("cropping", "Cropping" + digit + "D", {{"cropping", 1}}, channels_last)};
}

}  // namespace tieout
