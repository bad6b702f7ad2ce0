#include "layers/shared/convolution_write.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "layers/shared/convolution_settings.h"
#include "layers/shared/keras_pad.h"

namespace tieout {

namespace {

// The padding that both frameworks call "same", where that does not depend on the size: stride 1.
Paddings same_at_stride_one(const std::vector<std::int64_t>& kernel,
                            const std::vector<std::int64_t>& dilation) {
  Paddings paddings;
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    const std::int64_t total = (kernel[k] - 1) * dilation[k];
    paddings.push_back({total / 2, total - total / 2});
  }
  return paddings;
}

std::int64_t channels_of(const Layer& layer) {
  const auto& sizes = layer.parameters.at(0).sizes;
  const auto depthwise = sizes.find("c");
  return depthwise != sizes.end() ? depthwise->second
                                  : sizes.at("i") * layer.settings["groups"].get<std::int64_t>();
}

// A convolution that finds out its padding when it sees the input.
std::string same_definition(std::size_t rank) {
  const std::string digit = std::to_string(rank);
  const std::string sizes = rank == 1 ? "L" : rank == 2 ? "H, W" : "D, H, W";
  return "class SameConv" + digit + "d(nn.Conv" + digit + "d):\n" + "    \"\"\"Pads its input (N, C, " +
         sizes + ") by its size, as TensorFlow's \"same\" does.\"\"\"\n" +
         R"(
    def forward(self, x):
        pads = []
        axes = zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)
        for size, kernel, stride, dilation in axes:
            windows = (size + stride - 1) // stride
            total = (windows - 1) * stride + (kernel - 1) * dilation + 1 - size
            total = max(total, 0)
            pads = [total // 2, total - total // 2, *pads]
        return super().forward(F.pad(x, pads))
)";
}

}  // namespace

std::string same_class(std::size_t rank) {
  return "tieout.SameConv" + std::to_string(rank) + "d";
}

void lower_convolution_to_torch(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto kernel = numbers_of(layer, "kernel");
  const auto dilation = numbers_of(layer, "dilation");
  const auto strides = numbers_of(layer, "strides");
  const bool at_run_time = layer.settings["padding"].is_string();
  const auto paddings = at_run_time ? Paddings(rank) : paddings_from(layer.settings);
  Json settings = {{"in_channels", channels_of(layer)},
                   {"out_channels", layer.settings["filters"]},
                   {"kernel_size", kernel}};
  if (!is_all_one(strides)) settings["stride"] = strides;
  const bool symmetric =
      std::ranges::all_of(paddings, [](const Padding& p) { return p.low == p.high && p.low >= 0; });
  if (symmetric && paddings != Paddings(rank)) {
    settings["padding"] = Json::array();
    for (const auto& p : paddings) settings["padding"].push_back(p.low);
  } else if (!symmetric && is_all_one(strides) && paddings == same_at_stride_one(kernel, dilation)) {
    settings["padding"] = "same";
  } else if (!symmetric) {
    add_zero_padding(lowerer, paddings);
  }
  if (!is_all_one(dilation)) settings["dilation"] = dilation;
  if (layer.settings["groups"] != 1) settings["groups"] = layer.settings["groups"];
  if (!lowerer.stores("bias")) settings["bias"] = false;
  if (layer.settings["padding_mode"] != "zeros") settings["padding_mode"] = layer.settings["padding_mode"];
  FrameworkNode node;
  node.class_name = at_run_time ? same_class(rank) : "Conv" + std::to_string(rank) + "d";
  node.settings = std::move(settings);
  if (at_run_time) node.definition = same_definition(rank);
  lowerer.add_node(std::move(node));
}

void lower_convolution_to_keras(Lowerer& lowerer, std::size_t rank) {
  const Layer& layer = lowerer.layer();
  const auto kernel = numbers_of(layer, "kernel");
  const auto dilation = numbers_of(layer, "dilation");
  const auto strides = numbers_of(layer, "strides");
  const bool at_run_time = layer.settings["padding"].is_string();
  const auto paddings = at_run_time ? Paddings(rank) : paddings_from(layer.settings);
  const std::string mode = layer.settings["padding_mode"].get<std::string>();
  const std::int64_t groups = layer.settings["groups"].get<std::int64_t>();
  const std::int64_t filters = layer.settings["filters"].get<std::int64_t>();
  // DepthwiseConv2D fails on strides that differ; a Conv2D with as many groups as channels is the same layer.
  // Only a DepthwiseConv takes strides and a dilation above 1 together.
  const bool both = !is_all_one(strides) && !is_all_one(dilation);
  const bool even = std::ranges::adjacent_find(strides, std::not_equal_to<>()) == strides.end();
  const bool depthwise = layer.kind.starts_with("depthwise") && (even || both) && rank < 3;
  const bool subsampled = both && !depthwise;
  Json settings = {{"kernel_size", kernel},
                   {"strides", subsampled ? std::vector<std::int64_t>(rank, 1) : strides},
                   {"padding", "valid"}};
  if (at_run_time) {
    settings["padding"] = "same";
  } else if (mode != "zeros" && paddings != Paddings(rank)) {
    add_keras_padding(lowerer, paddings, mode, 0);
  } else if (paddings != Paddings(rank)) {
    if (is_all_one(strides) && paddings == same_at_stride_one(kernel, dilation)) {
      settings["padding"] = "same";
    } else if (rank == 1 && paddings[0] == Padding{(kernel[0] - 1) * dilation[0], 0}) {
      settings["padding"] = "causal";
    } else {
      add_zero_padding(lowerer, paddings);
    }
  }
  settings["dilation_rate"] = dilation;
  settings["use_bias"] = lowerer.stores("bias");
  if (depthwise) {
    settings["depth_multiplier"] = filters / groups;
    lowerer.add("DepthwiseConv" + std::to_string(rank) + "D", settings);
    return;
  }
  settings["filters"] = filters;
  settings["groups"] = groups;
  lowerer.add("Conv" + std::to_string(rank) + "D", settings);
  // The mean of one cell takes each s-th one. (TensorFlow has no MaxPool3D for float64.)
  if (subsampled) {
    lowerer.add("AveragePooling" + std::to_string(rank) + "D", {{"pool_size", 1}, {"strides", strides}}, {},
                "subsample");
  }
}

}  // namespace tieout
