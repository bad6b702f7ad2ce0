#include "layers/shared/convolution_cases.h"

#include "layers/shared/elementwise.h"

namespace tieout {

namespace {

// A layer with the settings in common and some of its own.
class Cases {
 public:
  Cases(std::size_t rank, Framework framework, const std::string& class_name, Json common)
      : rank_(rank),
        torch_(framework == Framework::torch),
        class_name_(class_name),
        common_(std::move(common)) {}

  // `sizes`: three, of which the first `rank` are taken.
  void add(const std::string& name, const Json& settings, const Shape& sizes = {8, 7, 5}) {
    Json all = common_;
    all.update(settings);
    Shape shape{2};
    if (torch_) shape.push_back(channels);
    shape.insert(shape.end(), sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank_));
    if (!torch_) shape.push_back(channels);
    made.push_back(torch_ ? torch_case(name, class_name_, all, shape)
                          : keras_case(name, class_name_, all, shape));
  }

  static constexpr std::int64_t channels = 4;
  std::vector<Case> made;

 private:
  std::size_t rank_;
  bool torch_;
  std::string class_name_;
  Json common_;
};

// Another number for each axis, the first `rank` of three.
Json uneven(std::size_t rank, std::vector<int> numbers) {
  numbers.resize(rank);
  return numbers;
}

std::vector<Case> torch_cases(std::size_t rank) {
  Cases cases(rank, Framework::torch, "Conv" + std::to_string(rank) + "d",
              {{"in_channels", Cases::channels}, {"out_channels", 6}, {"kernel_size", 3}});
  cases.add("default", Json::object());
  cases.add("no bias", {{"bias", false}});
  cases.add("as many channels out as in", {{"out_channels", Cases::channels}});
  cases.add("padding 1, stride 2", {{"padding", 1}, {"stride", 2}});
  cases.add("padding 1, stride 2, odd", {{"padding", 1}, {"stride", 2}}, {7, 9, 5});
  cases.add("uneven window, stride, padding", {{"kernel_size", uneven(rank, {3, 2, 1})},
                                               {"stride", uneven(rank, {1, 2, 1})},
                                               {"padding", uneven(rank, {1, 0, 2})}});
  cases.add("dilation 2", {{"dilation", 2}, {"padding", 2}});
  cases.add("groups", {{"groups", 2}});
  cases.add("same, even window", {{"kernel_size", 2}, {"padding", "same"}});
  cases.add("same, dilation 2", {{"padding", "same"}, {"dilation", 2}});
  cases.add("valid", {{"padding", "valid"}});
  cases.add("stride 2, dilation 2", {{"stride", 2}, {"dilation", 2}, {"padding", 2}});
  cases.add("stride 2 and 1, dilation 2",
            {{"stride", uneven(rank, {2, 1, 1})}, {"dilation", uneven(rank, {2, 2, 1})}}, {9, 8, 5});
  // Every second cell is taken by an AveragePooling3D of one cell, which TensorFlow has on a CPU in float32
  // only.
  if (rank == 3) cases.made.resize(cases.made.size() - 2);
  for (const auto* mode : {"reflect", "replicate", "circular"}) {
    cases.add(std::string("padding ") + mode, {{"padding", 1}, {"padding_mode", mode}});
    cases.add(std::string("padding 2, ") + mode + ", stride 2",
              {{"padding", uneven(rank, {2, 1, 2})}, {"padding_mode", mode}, {"stride", 2}});
  }
  cases.add("same, even window, reflect",
            {{"kernel_size", 4}, {"padding", "same"}, {"padding_mode", "reflect"}});
  return cases.made;
}

std::vector<Case> keras_cases(std::size_t rank) {
  Cases cases(rank, Framework::keras, "Conv" + std::to_string(rank) + "D",
              {{"filters", 6}, {"kernel_size", 3}});
  cases.add("default", Json::object());
  cases.add("no bias, tanh", {{"use_bias", false}, {"activation", "tanh"}});
  cases.add("as many channels out as in", {{"filters", Cases::channels}});
  cases.add("same", {{"padding", "same"}});
  cases.add("same, even window", {{"padding", "same"}, {"kernel_size", 4}});
  cases.add("same, stride 2", {{"padding", "same"}, {"strides", 2}}, {8, 6, 4});
  cases.add("same, stride 2, odd", {{"padding", "same"}, {"strides", 2}}, {7, 9, 5});
  cases.add("same, dilation 2", {{"padding", "same"}, {"dilation_rate", 2}});
  cases.add("uneven window, stride 2", {{"kernel_size", uneven(rank, {3, 2, 1})}, {"strides", 2}});
  if (rank < 3) cases.add("groups", {{"groups", 2}});
  if (rank == 1) cases.add("causal, dilation 2", {{"padding", "causal"}, {"dilation_rate", 2}});
  return cases.made;
}

std::vector<Case> depthwise_cases(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  Cases torch(rank, Framework::torch, "Conv" + digit + "d",
              {{"in_channels", Cases::channels},
               {"out_channels", 8},
               {"kernel_size", 3},
               {"groups", Cases::channels}});
  torch.add("two for each channel", Json::object());
  torch.add("one for each channel, no bias", {{"out_channels", Cases::channels}, {"bias", false}});
  torch.add("padding 1, stride 2", {{"padding", 1}, {"stride", 2}});
  torch.add("dilation 2", {{"dilation", 2}});
  torch.add("stride 2, dilation 2, padding 1", {{"stride", 2}, {"dilation", 2}, {"padding", 1}});
  if (rank == 2) torch.add("uneven stride, dilation", {{"stride", {1, 2}}, {"dilation", {2, 1}}});
  if (rank == 2) torch.add("uneven stride", {{"stride", uneven(rank, {1, 2})}});
  Cases keras(rank, Framework::keras, "DepthwiseConv" + digit + "D", {{"kernel_size", 3}});
  keras.add("default", Json::object());
  keras.add("two for each channel, relu", {{"depth_multiplier", 2}, {"activation", "relu"}});
  keras.add("same, stride 2", {{"padding", "same"}, {"strides", 2}}, {8, 6, 4});
  keras.add("no bias, dilation 2", {{"use_bias", false}, {"dilation_rate", 2}});
  torch.made.insert(torch.made.end(), keras.made.begin(), keras.made.end());
  return torch.made;
}

}  // namespace

std::vector<Case> convolution_cases(std::size_t rank, bool depthwise) {
  if (depthwise) return depthwise_cases(rank);
  std::vector<Case> all = torch_cases(rank);
  for (auto& test : keras_cases(rank)) all.push_back(std::move(test));
  return all;
}

}  // namespace tieout
