#include "formats/torch_source/torch_source.h"

#include <doctest/doctest.h>

#include "formats/torch_source/python_layout.h"
#include "formats/torch_source/python_text.h"

namespace tieout {
namespace {

FrameworkNode node(const std::string& name, const std::string& class_name, Json settings, int input) {
  FrameworkNode made;
  made.name = name;
  made.class_name = class_name;
  made.settings = std::move(settings);
  made.inputs.push_back({.value = {.node = input, .output = 0}, .keyword = {}});
  return made;
}

FrameworkModel small_model() {
  FrameworkModel model;
  model.name = "le-net";
  model.has_architecture = true;
  model.inputs = {{"image", {unknown, 1, 28, 28}, DType::f32, {}}};
  model.nodes.push_back(
      node("conv2d", "Conv2d", {{"in_channels", 1}, {"kernel_size", {5, 5}}, {"bias", nullptr}}, -1));
  model.nodes.back().comment = "(N, 6, 24, 24)";
  model.nodes.push_back(node("permute", "torch.permute", Json::object(), 0));
  model.nodes.back().call = "{0}.permute(0, 2, 3, 1)";
  model.outputs = {{.node = 1, .output = 0}};
  return model;
}

TEST_CASE("torch source: a chain") {
  CHECK(torch_source_text(small_model()) ==
        R"py("""LeNet in PyTorch, written by tieout; its weights are in the file beside this one."""

from torch import nn


class LeNet(nn.Module):
    """Takes and returns, with N for the batch:

    x: (N, 1, 28, 28), float32
    returns: any shape
    """

    def __init__(self):
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels=1, kernel_size=(5, 5))

    def forward(self, x):
        x = self.conv2d(x)  # (N, 6, 24, 24)
        x = x.permute(0, 2, 3, 1)
        return x
)py");
}

TEST_CASE("torch source: a value that is needed again has a name of its own") {
  FrameworkModel model = small_model();
  model.nodes[1] = node("relu", "ReLU", Json::object(), 0);
  model.nodes.push_back(node("add", "torch.add", Json::object(), 0));
  model.nodes.back().inputs.push_back({.value = {.node = 1, .output = 0}, .keyword = {}});
  model.nodes.back().call = "{0} + {1}";
  model.outputs = {{.node = 2, .output = 0}};
  const std::string text = torch_source_text(model);
  CHECK(text.find("        relu = self.relu(x)\n        x = x + relu\n        return x\n") !=
        std::string::npos);
}

TEST_CASE("torch source: names and strings of strangers stay names and strings") {
  CHECK(torch_attribute_name("conv2d/a") == "conv2d_a");
  CHECK(torch_attribute_name("0") == "layer_0");
  CHECK(torch_attribute_name("") == "layer");
  CHECK(torch_attribute_name("__class__") == "layer__class__");
  CHECK(torch_attribute_name("lambda") == "lambda_");
  CHECK(torch_attribute_name("forward") == "forward_");
  CHECK(torch_attribute_name("x; import os") == "x__import_os");
  for (const char* name : {"0", "forward", "lambda", "a b"}) {
    CHECK(torch_attribute_name(torch_attribute_name(name)) == torch_attribute_name(name));
  }
  CHECK(torch_source::literal("a\"\n\\") == R"('a"\x0a\\')");
  CHECK(torch_source::literal({1, 2.5, nullptr, true, Json::array({3}), "s"}) ==
        R"((1, 2.5, None, True, (3,), "s"))");
  CHECK(torch_source::class_identifier("my-net_v2") == "MyNetV2");
  CHECK(torch_source::class_identifier("3d") == "Model3d");
}

TEST_CASE("torch source: what cannot be written is refused") {
  FrameworkModel model = small_model();
  model.nodes[0].class_name = "Conv2d(); import os";
  CHECK_THROWS_WITH_AS(torch_source_text(model),
                       "the class 'Conv2d(); import os' cannot be written as PyTorch source", Error);
  model = small_model();
  model.nodes[0].settings["a b"] = 1;
  CHECK_THROWS_WITH_AS(torch_source_text(model), "the setting 'a b' is not a Python name", Error);
  model = small_model();
  model.nodes[0].name = "features.0";
  model.nodes[0].parameters.push_back({.name = "weight", .path = {}, .tensor = "features.0.weight"});
  CHECK_THROWS_WITH_AS(torch_source_text(model),
                       "a layer with parameters cannot be named 'features.0' in PyTorch source", Error);
}

TEST_CASE("torch source: a model that was read has no source to write") {
  FrameworkModel model = small_model();
  CHECK(wants_source(model));
  for (FrameworkNode& each : model.nodes) each.call = each.comment = "";
  CHECK_FALSE(wants_source(model));
}

// block1 and block2 are alike, block3 has a stride and other sizes, block4 another activation.
FrameworkModel residual_model() {
  FrameworkModel model;
  model.name = "net";
  model.has_architecture = true;
  model.inputs = {{"image", {unknown, 8, 28, 28}, DType::f32, {}}};
  int entry = -1;
  const auto add = [&model](FrameworkNode made, const std::string& shape) {
    made.comment = shape;
    model.nodes.push_back(std::move(made));
    return static_cast<int>(model.nodes.size()) - 1;
  };
  for (int block = 1; block <= 4; ++block) {
    const std::string name = "s_block" + std::to_string(block);
    const std::string shape = block < 3 ? "(N, 8, 28, 28)" : "(N, 16, 14, 14)";
    Json settings = {{"in_channels", block < 4 ? 8 : 16}, {"out_channels", block < 3 ? 8 : 16}};
    if (block == 3) settings["stride"] = {2, 2};
    int value = add(node(name + "_conv", "Conv2d", settings, entry), shape);
    value = add(node(name + "_relu", block < 4 ? "ReLU" : "GELU", Json::object(), value), shape);
    const int shortcut = add(node(name + "_pool", "AvgPool2d", {{"kernel_size", {1, 1}}}, entry), shape);
    FrameworkNode sum = node(name + "_add", "torch.add", Json::object(), value);
    sum.inputs.push_back({.value = {.node = shortcut, .output = 0}, .keyword = {}});
    sum.call = "{0} + {1}";
    entry = add(std::move(sum), shape);
  }
  model.outputs = {{.node = entry, .output = 0}};
  return model;
}

TEST_CASE("torch source: repeated blocks are a method") {
  const std::string text = torch_source_text(residual_model());
  CHECK(text.substr(text.find("    def __init__")) == R"py(    def __init__(self):
        super().__init__()
        for name in ("s_block1", "s_block2"):
            self._add_s_block(name, 8, (1, 1))
        self._add_s_block("s_block3", 16, (2, 2))
        self.s_block4_conv = nn.Conv2d(in_channels=16, out_channels=16)
        self.s_block4_relu = nn.GELU()
        self.s_block4_pool = nn.AvgPool2d(kernel_size=(1, 1))

    def _add_s_block(self, name, out_channels, stride):
        layers = {
            f"{name}_conv": nn.Conv2d(
                in_channels=8, out_channels=out_channels, stride=stride
            ),
            f"{name}_relu": nn.ReLU(),
            f"{name}_pool": nn.AvgPool2d(kernel_size=(1, 1)),
        }
        for key, layer in layers.items():
            self.add_module(key, layer)

    def _s_block(self, x, name):
        y = getattr(self, f"{name}_conv")(x)  # (N, C, H, H)
        y = getattr(self, f"{name}_relu")(y)  # (N, C, H, H)
        x = getattr(self, f"{name}_pool")(x)  # (N, C, H, H)
        x = y + x  # (N, C, H, H)
        return x

    def forward(self, x):
        for name in ("s_block1", "s_block2"):
            x = self._s_block(x, name)  # (N, 8, 28, 28)
        x = self._s_block(x, "s_block3")  # (N, 16, 14, 14)
        s_block4_conv = self.s_block4_conv(x)  # (N, 16, 14, 14)
        s_block4_relu = self.s_block4_relu(s_block4_conv)  # (N, 16, 14, 14)
        x = self.s_block4_pool(x)  # (N, 16, 14, 14)
        x = s_block4_relu + x  # (N, 16, 14, 14)
        return x
)py");
}

TEST_CASE("torch source: blocks stay plain lines where they are not alike") {
  const auto is_plain = [](const FrameworkModel& model) {
    return torch_source_text(model).find("def _add") == std::string::npos;
  };
  // A value from within a block is used outside.
  FrameworkModel model = residual_model();
  for (const int inner : {0, 4, 8}) model.outputs.push_back({.node = inner, .output = 0});
  CHECK(is_plain(model));
  // The names have no common part that tells the blocks apart.
  model = residual_model();
  for (std::size_t i = 0; i < model.nodes.size(); ++i) model.nodes[i].name = "l" + std::to_string(i * i);
  CHECK(is_plain(model));
  // One layer is called by all blocks.
  model = residual_model();
  for (const std::size_t i : {1U, 5U, 9U}) model.nodes[i].name = "shared_relu";
  CHECK(is_plain(model));
  // Different expressions.
  model = residual_model();
  model.nodes[3].call = "{0} - {1}";
  model.nodes[7].call = "{0} * {1}";
  CHECK(is_plain(model));
}

TEST_CASE("torch source: many blocks are a loop that counts") {
  FrameworkModel model = residual_model();
  model.nodes.resize(8);
  for (int block = 3; block <= 6; ++block) {
    for (std::size_t k = 0; k < 4; ++k) {
      FrameworkNode copy = model.nodes[4 + k];
      copy.name.replace(7, 1, std::to_string(block));
      for (NodeInput& input : copy.inputs) input.value.node += 4 * (block - 2);
      model.nodes.push_back(std::move(copy));
    }
  }
  model.outputs = {{.node = 23, .output = 0}};
  const std::string text = torch_source_text(model);
  CHECK(text.find("        for i in range(1, 7):\n            self._add_s_block(f\"s_block{i}\")\n") !=
        std::string::npos);
  CHECK(text.find("        for i in range(1, 7):\n            x = self._s_block(x, f\"s_block{i}\")") !=
        std::string::npos);
}

// The layouts are those of ruff 0.14 format.
TEST_CASE("torch source: long lines are broken as ruff breaks them") {
  const std::string long_name(60, 'a');
  CHECK(torch_source::lay_out("x = f(1)", 4) == "    x = f(1)\n");
  CHECK(torch_source::lay_out("x = f(" + long_name + ", " + long_name.substr(30) + ")", 4) ==
        "    x = f(\n        " + long_name + ",\n        " + long_name.substr(30) + ",\n    )\n");
  CHECK(torch_source::lay_out("xxxxxxxx = f(" + long_name.substr(5) + ", b=(1, 2, 3), c=4)", 8) ==
        "        xxxxxxxx = f(\n            " + long_name.substr(5) + ", b=(1, 2, 3), c=4\n        )\n");
}

}  // namespace
}  // namespace tieout
