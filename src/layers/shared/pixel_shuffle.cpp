#include "layers/shared/pixel_shuffle.h"

#include "layers/shared/elementwise.h"
#include "layers/shared/spatial.h"
#include "layers/shared/taps.h"
#include "tieout/error.h"

namespace tieout {

namespace {

std::string name_of(Shuffle direction) {
  if (direction == Shuffle::to_space) return "pixel_shuffle";
  return direction == Shuffle::to_torch_depth ? "pixel_unshuffle" : "space_to_depth";
}

void lift(Lifter& lifter, Shuffle direction) {
  const auto& given = lifter.settings();
  const bool up = direction == Shuffle::to_space;
  if (!lifter.weights_only() && lifter.input().known && lifter.input().axes.size() != 4)
    lifter.refuse("it takes an input that is no batch of images", "use it on inputs of 4 axes");
  // Of the order of TensorFlow, in Keras or in our own class.
  const bool inner = lifter.is_keras() || lifter.node().class_name.starts_with("tieout.");
  const std::string name = inner ? "block_size" : up ? "upscale_factor" : "downscale_factor";
  const std::int64_t factor = given.integer(name);
  if (factor < 1 || factor > 1024) throw malformed("the setting " + name + " should be from 1 to 1024");
  const auto order = image_order(lifter, 2);
  Layer layer = lifter.layer(name_of(direction));
  layer.orders = {order};
  // Keras' channels_first transposes around TensorFlow's function: the order is the same.
  layer.settings = {{"factor", factor}, {"channels_first", !inner}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs, Shuffle direction) {
  Axes out = inputs[0];
  const auto r = layer.settings["factor"].get<std::int64_t>();
  const auto multiply = [](Axis& axis, std::int64_t by) {
    if (axis.size != unknown) axis.size *= by;
  };
  const auto divide = [](Axis& axis, std::int64_t by) {
    if (axis.size != unknown && axis.size % by != 0)
      throw malformed(std::to_string(axis.size) + " channels or cells cannot be split by " +
                      std::to_string(by));
    if (axis.size != unknown) axis.size /= by;
  };
  for (std::size_t k = 1; k < 4; ++k) {
    const bool shrinks = (k == 1) == (direction == Shuffle::to_space);
    shrinks ? divide(out[k], k == 1 ? r * r : r) : multiply(out[k], k == 1 ? r * r : r);
  }
  return {out};
}

constexpr const char* to_space_code = R"(class DepthToSpace(nn.Module):
    """TensorFlow's depth_to_space, with the channels in the order (row, column, channel).

    (N, r * r * C, H, W) -> (N, C, r * H, r * W), r being the block size.
    """

    def __init__(self, block_size):
        super().__init__()
        self.block_size = block_size

    def forward(self, x):
        r = self.block_size
        x = x.unflatten(1, (r, r, -1)).permute(0, 3, 4, 1, 5, 2)
        return x.flatten(4, 5).flatten(2, 3)
)";

constexpr const char* to_depth_code = R"(class SpaceToDepth(nn.Module):
    """TensorFlow's space_to_depth, with the channels in the order (row, column, channel).

    (N, C, r * H, r * W) -> (N, r * r * C, H, W), r being the block size.
    """

    def __init__(self, block_size):
        super().__init__()
        self.block_size = block_size

    def forward(self, x):
        r = self.block_size
        x = x.unflatten(3, (-1, r)).unflatten(2, (-1, r))
        return x.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)
)";

// Brings PyTorch's joined channels (c i j) of the current Keras input into the order (i j c), or back.
void add_reordering(Lowerer& lowerer, std::int64_t r, bool back, const std::string& helper) {
  const std::int64_t joined = lowerer.axes().at(3).size;
  if (joined == unknown)
    lowerer.refuse("it depends on the number of channels, which is not known", "give it with --input-shape");
  const std::int64_t channels = joined / (r * r);
  std::vector<std::int64_t> order(static_cast<std::size_t>(joined));
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t ij = 0; ij < r * r; ++ij) {
      const std::int64_t first = c * r * r + ij;
      const std::int64_t last = ij * channels + c;
      order[static_cast<std::size_t>(back ? first : last)] = back ? last : first;
    }
  }
  add_keras_take(lowerer, 3, order, helper);
}

void write_torch(Lowerer& lowerer, std::int64_t r, bool reorders, bool up) {
  if (!reorders) {
    lowerer.add(up ? "PixelShuffle" : "PixelUnshuffle", {{up ? "upscale_factor" : "downscale_factor", r}});
    return;
  }
  FrameworkNode node;
  node.class_name = up ? "tieout.DepthToSpace" : "tieout.SpaceToDepth";
  node.settings = {{"block_size", r}};
  node.definition = up ? to_space_code : to_depth_code;
  lowerer.add_node(std::move(node));
}

void write_keras(Lowerer& lowerer, std::int64_t r, bool reorders, bool up) {
  if (r == 1) {
    lowerer.add("Identity", Json::object());
    return;
  }
  if (reorders && up) add_reordering(lowerer, r, false, "channels");
  FrameworkNode node;
  node.class_name = up ? "DepthToSpace" : "SpaceToDepth";
  node.module = "keras.src.ops.nn";
  node.settings = {{"block_size", r}, {"data_format", "channels_last"}};
  lowerer.add_node(std::move(node), reorders && !up ? "blocks" : "");
  if (reorders && !up) add_reordering(lowerer, r, true, {});
}

void lower(Lowerer& lowerer, Shuffle direction) {
  const auto r = lowerer.layer().settings["factor"].get<std::int64_t>();
  const bool first = lowerer.layer().settings["channels_first"].get<bool>();
  const bool up = direction == Shuffle::to_space;
  // With one channel, or one cell a block, there is one order.
  const std::int64_t channels = lowerer.axes().at(lowerer.to_torch() ? 1 : 3).size;
  const bool one_order = r == 1 || channels == (up ? r * r : 1);
  if (lowerer.to_torch()) {
    write_torch(lowerer, r, !first && !one_order, up);
  } else {
    write_keras(lowerer, r, first && !one_order, up);
  }
}

std::vector<Array> compute(const Evaluation& e, Shuffle direction) {
  const Array& x = *e.inputs[0];
  const std::int64_t r = e.integer("factor");
  const bool first = e.flag("channels_first");
  const bool up = direction == Shuffle::to_space;
  const Array fine({x.size(0), up ? x.size(1) / (r * r) : x.size(1), up ? x.size(2) * r : x.size(2),
                    up ? x.size(3) * r : x.size(3)});
  const std::int64_t channels = fine.size(1);
  const std::int64_t height = fine.size(2) / r;
  const std::int64_t width = fine.size(3) / r;
  Array y = up ? fine : Array({x.size(0), channels * r * r, height, width});
  std::size_t at = 0;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t h = 0; h < height * r; ++h) {
        for (std::int64_t w = 0; w < width * r; ++w, ++at) {
          const std::int64_t ij = h % r * r + w % r;
          const std::int64_t joined = first ? c * r * r + ij : ij * channels + c;
          const auto coarse =
              static_cast<std::size_t>(((n * channels * r * r + joined) * height + h / r) * width + w / r);
          if (up) {
            y.data[at] = x.data[coarse];
          } else {
            y.data[coarse] = x.data[at];
          }
        }
      }
    }
  }
  return {y};
}

bool other_order(Layer& layer, Framework, const std::vector<Axes>&) {
  if (layer.settings["factor"] == 1) return false;
  layer.settings["channels_first"] = !layer.settings["channels_first"].get<bool>();
  return true;
}

std::vector<Case> cases(bool up) {
  if (up)
    return {torch_case("by 2", "PixelShuffle", {{"upscale_factor", 2}}, {2, 12, 4, 5}),
            torch_case("by 3", "PixelShuffle", {{"upscale_factor", 3}}, {2, 18, 2, 3}),
            torch_case("to one channel", "PixelShuffle", {{"upscale_factor", 2}}, {2, 4, 2, 3}),
            torch_case("by 1", "PixelShuffle", {{"upscale_factor", 1}}, {2, 3, 2, 4})};
  return {torch_case("by 2", "PixelUnshuffle", {{"downscale_factor", 2}}, {2, 3, 4, 6}),
          torch_case("by 3", "PixelUnshuffle", {{"downscale_factor", 3}}, {2, 2, 6, 3}),
          torch_case("of one channel", "PixelUnshuffle", {{"downscale_factor", 2}}, {2, 1, 4, 6}),
          torch_case("by 1", "PixelUnshuffle", {{"downscale_factor", 1}}, {2, 3, 2, 4})};
}

}  // namespace

LayerKind pixel_shuffle_kind(Shuffle direction) {
  const bool up = direction == Shuffle::to_space;
  LayerKind kind;
  kind.name = name_of(direction);
  const std::string reason = "Keras orders the channels (i j c), PyTorch (c i j): ";
  if (up) {
    kind.torch = {{"PixelShuffle", Status::composed, reason + "keras.ops Take and DepthToSpace"},
                  {"tieout.DepthToSpace", Status::exact, ""}};
    kind.keras = exact({"DepthToSpace"});
  } else if (direction == Shuffle::to_torch_depth) {
    kind.torch = {{"PixelUnshuffle", Status::composed, reason + "keras.ops SpaceToDepth and Take"}};
  } else {
    kind.torch = exact({"tieout.SpaceToDepth"});
    kind.keras = exact({"SpaceToDepth"});
  }
  if (!kind.keras.empty()) {
    kind.keras.push_back(kind.keras[0]);
    kind.keras[1].name = "ops." + kind.keras[0].name;
  }
  kind.summary = up ? "Channels to blocks of cells: x (n (c i j) h w), y (n c (h i) (w j))."
                    : "Blocks of cells to channels: x (n c (h i) (w j)), y (n (c i j) h w).";
  kind.sources = {"https://docs.pytorch.org/docs/stable/nn.html#vision-layers",
                  "https://www.tensorflow.org/api_docs/python/tf/nn/depth_to_space"};
  kind.lift = [=](Lifter& lifter) { lift(lifter, direction); };
  kind.infer = [=](const Layer& layer, const std::vector<Axes>& inputs) {
    return infer(layer, inputs, direction);
  };
  kind.need = [](const Layer&, Framework target) { return image_need(2, target); };
  kind.lower = [=](Lowerer& lowerer) { lower(lowerer, direction); };
  kind.compute = [=](const Evaluation& e) { return compute(e, direction); };
  if (up)
    kind.mistakes = {
        {"shuffle_channels",
         "the channels of a block stand in the order (i j c) of TensorFlow on one side and (c i j) of "
         "PyTorch on the other",
         other_order}};
  if (direction != Shuffle::to_keras_depth) kind.cases = cases(up);
  return kind;
}

}  // namespace tieout
