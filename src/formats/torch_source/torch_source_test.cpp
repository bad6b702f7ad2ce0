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
