// Cases and mistakes of the transposed convolutions.

#include <algorithm>
#include <utility>

#include "layers/shared/convolution_mistakes.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/transposed_convolution.h"

namespace tieout {

namespace {

constexpr std::int64_t channels = 4;

Shape sized(std::size_t rank, bool torch) {
  const Shape sizes{4, 5, 3};
  Shape shape{2};
  if (torch) shape.push_back(channels);
  shape.insert(shape.end(), sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank));
  if (!torch) shape.push_back(channels);
  return shape;
}

// Another number for each axis, the first `rank` of three.
Json uneven(std::size_t rank, std::vector<int> numbers) {
  numbers.resize(rank);
  return numbers;
}

std::vector<Case> torch_cases(std::size_t rank) {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const Json& given) {
    Json settings = {{"in_channels", channels}, {"out_channels", 6}, {"kernel_size", 3}};
    settings.update(given);
    cases.push_back(
        torch_case(name, "ConvTranspose" + std::to_string(rank) + "d", settings, sized(rank, true)));
  };
  add("default", Json::object());
  add("no bias", {{"bias", false}, {"stride", 2}});
  add("as many channels out as in", {{"out_channels", channels}});
  add("stride 2, padding 1, output_padding 1", {{"stride", 2}, {"padding", 1}, {"output_padding", 1}});
  add("stride 2, padding 1", {{"stride", 2}, {"padding", 1}});
  add("window 4, stride 2, padding 1", {{"kernel_size", 4}, {"stride", 2}, {"padding", 1}});
  add("window 2, stride 2", {{"kernel_size", 2}, {"stride", 2}});
  add("window 2, stride 3, output_padding 2", {{"kernel_size", 2}, {"stride", 3}, {"output_padding", 2}});
  add("window 5, stride 3, padding 1, output_padding 2",
      {{"kernel_size", 5}, {"stride", 3}, {"padding", 1}, {"output_padding", 2}});
  add("padding 2", {{"padding", 2}});
  add("uneven", {{"kernel_size", uneven(rank, {3, 2, 4})},
                 {"stride", uneven(rank, {2, 1, 3})},
                 {"padding", uneven(rank, {1, 0, 2})},
                 {"output_padding", uneven(rank, {1, 0, 2})}});
  add("dilation 2", {{"dilation", 2}});
  add("dilation 2, padding 3, output_padding 1", {{"dilation", 2}, {"padding", 3}, {"output_padding", 1}});
  // More than the kernel reaches: it crops.
  add("window 2, dilation 3, padding 4", {{"kernel_size", 2}, {"dilation", 3}, {"padding", 4}});
  for (auto size = cases.back().input_shapes[0].begin() + 2; size != cases.back().input_shapes[0].end();
       ++size) {
    *size += 5;
  }
  add("groups", {{"groups", 2}, {"stride", 2}, {"padding", 1}, {"output_padding", 1}});
  add("a group for each channel",
      {{"groups", 4}, {"out_channels", 4}, {"kernel_size", 4}, {"stride", 2}, {"bias", false}});
  add("groups, dilation 2", {{"groups", 2}, {"dilation", 2}});
  add("stride 2, dilation 2", {{"stride", 2}, {"dilation", 2}});
  add("uneven strides and dilations",
      {{"stride", uneven(rank, {2, 1, 3})}, {"dilation", uneven(rank, {3, 2, 1})}, {"padding", 1}});
  add("groups, stride 2, dilation 2, output_padding 1",
      {{"groups", 2}, {"stride", 2}, {"dilation", 2}, {"output_padding", 1}});
  return cases;
}

std::vector<Case> keras_cases(std::size_t rank) {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const Json& given) {
    Json settings = {{"filters", 6}, {"kernel_size", 3}};
    settings.update(given);
    cases.push_back(
        keras_case(name, "Conv" + std::to_string(rank) + "DTranspose", settings, sized(rank, false)));
  };
  add("default", Json::object());
  add("no bias, relu", {{"use_bias", false}, {"strides", 2}, {"activation", "relu"}});
  add("same", {{"padding", "same"}});
  add("same, window 4", {{"padding", "same"}, {"kernel_size", 4}});
  add("same, stride 2", {{"padding", "same"}, {"strides", 2}});
  add("same, window 4, stride 2", {{"padding", "same"}, {"kernel_size", 4}, {"strides", 2}});
  add("same, window 5, stride 2", {{"padding", "same"}, {"kernel_size", 5}, {"strides", 2}});
  add("same, window 2, stride 3", {{"padding", "same"}, {"kernel_size", 2}, {"strides", 3}});
  add("valid, window 2, stride 3", {{"kernel_size", 2}, {"strides", 3}});
  add("output_padding 1", {{"strides", 2}, {"output_padding", 1}});
  add("same, stride 2, output_padding 1", {{"padding", "same"}, {"strides", 2}, {"output_padding", 1}});
  add("same, stride 2, output_padding 0", {{"padding", "same"}, {"strides", 2}, {"output_padding", 0}});
  add("same, window 4, stride 3, output_padding 2",
      {{"padding", "same"}, {"kernel_size", 4}, {"strides", 3}, {"output_padding", 2}});
  add("same, uneven",
      {{"padding", "same"}, {"kernel_size", uneven(rank, {3, 2, 4})}, {"strides", uneven(rank, {2, 1, 3})}});
  return cases;
}

// The cells that are cut at the low end cut at the high end: what PyTorch's padding=1, output_padding=1 does,
// of the right size, where Keras' "same" cuts nothing at the low end.
bool other_side(Layer& layer, Framework, const std::vector<Axes>&) {
  const Paddings before = paddings_from(layer.settings);
  Paddings swapped = before;
  for (auto& cut : swapped) std::swap(cut.low, cut.high);
  const bool possible = std::ranges::all_of(swapped, [](const Padding& cut) { return cut.low >= 0; });
  if (!possible || swapped == before) return false;
  layer.settings["padding"] = to_json(swapped);
  return true;
}

}  // namespace

std::vector<Case> transposed_convolution_cases(std::size_t rank) {
  std::vector<Case> all = torch_cases(rank);
  for (auto& test : keras_cases(rank)) all.push_back(std::move(test));
  return all;
}

std::vector<Mistake> transposed_convolution_mistakes(std::size_t rank) {
  std::vector<Mistake> all = {
      {"padding_side",
       "the cells that should be cut off at one end are cut off at the other, as by padding=1 and "
       "output_padding=1 for TensorFlow's \"same\"",
       other_side},
      swapped_axes_mistake("in_out", "the kernel's input and output channels stand in each other's place",
                           "i", "o")};
  if (rank > 1) {
    all.push_back(swapped_axes_mistake(
        "rows_columns", "the kernel's rows and columns stand in each other's place", "h", "w"));
  }
  all.push_back(turned_kernel_mistake());
  return all;
}

}  // namespace tieout
