#include "formats/keras_config/cudnn.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "base/checked.h"
#include "formats/keras_config/document.h"
#include "tieout/error.h"

namespace tieout::keras {

namespace {

// Elements of another tensor of as many elements, each from the place that `place` says.
class Reordered final : public TensorSource {
 public:
  Reordered(LazyTensor tensor, std::function<std::size_t(std::size_t)> place)
      : tensor_(std::move(tensor)), place_(std::move(place)) {}

  void read(std::span<std::byte> out) const override {
    const std::vector<std::byte> all = tensor_.load();
    const std::size_t size = size_of(tensor_.dtype);
    for (std::size_t i = 0; i * size < out.size(); ++i)
      std::memcpy(out.data() + i * size, all.data() + place_(i) * size, size);
  }

 private:
  LazyTensor tensor_;
  std::function<std::size_t(std::size_t)> place_;
};

// The sum of the two halves, in float32.
class HalvesSum final : public TensorSource {
 public:
  explicit HalvesSum(LazyTensor tensor) : tensor_(std::move(tensor)) {}

  void read(std::span<std::byte> out) const override {
    const std::vector<std::byte> all = tensor_.load();
    for (std::size_t at = 0; at < out.size(); at += sizeof(float)) {
      float first = 0;
      float second = 0;
      std::memcpy(&first, all.data() + at, sizeof(float));
      std::memcpy(&second, all.data() + out.size() + at, sizeof(float));
      first += second;
      std::memcpy(out.data() + at, &first, sizeof(float));
    }
  }

 private:
  LazyTensor tensor_;
};

LazyTensor reordered(const LazyTensor& tensor, Shape shape, std::function<std::size_t(std::size_t)> place) {
  return {tensor.dtype, std::move(shape), std::make_shared<Reordered>(tensor, std::move(place)), {}};
}

// In the file (rows, g u), each gate's block being the memory of a (u, rows) matrix read row by row. Wanted:
// (rows, g u), each block a (rows, u) matrix.
LazyTensor input_kernel(const LazyTensor& tensor, std::size_t gates, std::size_t units) {
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  return reordered(tensor, tensor.shape, [=](std::size_t i) {
    const std::size_t row = i / (gates * units);
    const std::size_t gate = i / units % gates;
    const std::size_t memory = i % units * rows + row;
    return memory / units * gates * units + gate * units + memory % units;
  });
}

// Each gate's (u, u) block is the transpose.
LazyTensor recurrent_kernel(const LazyTensor& tensor, std::size_t gates, std::size_t units) {
  return reordered(tensor, tensor.shape, [=](std::size_t i) {
    const std::size_t row = i / (gates * units);
    const std::size_t gate = i / units % gates;
    return i % units * gates * units + gate * units + row;
  });
}

bool replace_class(Json& layer) {
  const std::string class_name = text_member(layer, "class_name");
  if (class_name != "CuDNNLSTM" && class_name != "CuDNNGRU") return false;
  const bool lstm = class_name == "CuDNNLSTM";
  layer["class_name"] = lstm ? "LSTM" : "GRU";
  Json& config = layer["config"];
  config["activation"] = "tanh";
  config["recurrent_activation"] = "sigmoid";
  config["use_bias"] = true;
  if (!lstm) config["reset_after"] = true;
  return true;
}

}  // namespace

std::vector<CudnnLayer> replace_cudnn_classes(Json& config) {
  std::vector<CudnnLayer> found;
  if (member(config, "config") == nullptr || member(config["config"], "layers") == nullptr) return found;
  for (Json& layer : config["config"]["layers"]) {
    if (member(layer, "config") == nullptr || !layer["config"].is_object()) continue;
    const bool wrapped = text_member(layer, "class_name") == "Bidirectional" &&
                         member(layer["config"], "layer") != nullptr && layer["config"]["layer"].is_object();
    Json& inner = wrapped ? layer["config"]["layer"] : layer;
    if (!replace_class(inner)) continue;
    if (wrapped && member(layer["config"], "backward_layer") != nullptr &&
        layer["config"]["backward_layer"].is_object())
      replace_class(layer["config"]["backward_layer"]);
    found.push_back(
        {text_member(layer["config"], "name"), text_member(inner, "class_name") == "LSTM" ? 4 : 3});
  }
  return found;
}

void rearrange_cudnn_weights(const CudnnLayer& layer, const std::vector<NodeParameter>& parameters,
                             FrameworkModel& model) {
  const auto tensor = [&](std::size_t k) -> LazyTensor& {
    const auto place = std::ranges::find(model.tensors, parameters[k].tensor, &NamedTensor::name);
    return place->tensor;
  };
  const auto wrong = [&](std::size_t k) {
    return malformed(
        "the tensor " + to_string(tensor(k).shape) + " is not one of a CuDNN layer",
        {.file = model.file, .entry = {}, .offset = {}, .tensor = parameters[k].tensor, .layer = layer.name});
  };
  if (parameters.size() % 3 != 0) throw wrong(0);
  for (std::size_t k = 0; k < parameters.size(); k += 3) {
    LazyTensor& kernel = tensor(k);
    LazyTensor& recurrent = tensor(k + 1);
    LazyTensor& bias = tensor(k + 2);
    if (recurrent.shape.size() != 2) throw wrong(k + 1);
    const std::int64_t units = recurrent.shape[0];
    const std::int64_t width = layer.gates * units;
    if (units < 1 || recurrent.shape[1] != width) throw wrong(k + 1);
    if (kernel.shape.size() != 2 || kernel.shape[1] != width) throw wrong(k);
    const bool summable = layer.gates == 3 || bias.dtype == DType::f32;
    if (bias.shape != Shape{2 * width} || !summable) throw wrong(k + 2);
    const auto gates = static_cast<std::size_t>(layer.gates);
    kernel = input_kernel(kernel, gates, static_cast<std::size_t>(units));
    recurrent = recurrent_kernel(recurrent, gates, static_cast<std::size_t>(units));
    if (layer.gates == 3) {
      bias.shape = {2, width};
    } else {
      bias = {bias.dtype, {width}, std::make_shared<HalvesSum>(bias), {}};
    }
  }
}

}  // namespace tieout::keras
