#include "model/architecture_json.h"

#include <doctest/doctest.h>

#include "tieout/error.h"

namespace tieout {
namespace {

FrameworkModel example() {
  FrameworkModel model;
  model.name = "Net";
  model.has_architecture = true;
  model.tensors.push_back({"a.weight", make_tensor(DType::f32, {1}, std::vector<std::byte>(4))});
  model.inputs = {{"x", {unknown, 3}, DType::f32, {}}, {"y", {}, DType::i64, {}}};
  FrameworkNode node;
  node.name = "a";
  node.class_name = "Linear";
  node.module = "torch.nn.modules.linear";
  node.settings = {{"in_features", 3}};
  node.inputs = {{.value = {.node = -1, .output = 1}, .keyword = "mask"}};
  node.parameters = {{.name = "weight", .path = {}, .tensor = "a.weight"}};
  node.call = "evil()";
  model.nodes = {node};
  model.outputs = {{.node = 0, .output = 0}};
  return model;
}

std::string refusal(const std::string& pointer, const Json& value) {
  Json json = architecture_to_json(example());
  json[Json::json_pointer(pointer)] = value;
  FrameworkModel model = example();
  try {
    architecture_from_json(json, model);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_CASE("architecture: comes back as it was, without expressions") {
  const Json json = architecture_to_json(example());
  FrameworkModel model;
  model.tensors = example().tensors;
  architecture_from_json(json, model);
  CHECK(model.has_architecture);
  CHECK(model.inputs[0].shape == Shape{unknown, 3});
  CHECK(model.inputs[1].dtype == DType::i64);
  CHECK(model.nodes[0].inputs[0].keyword == "mask");
  CHECK(model.nodes[0].call.empty());
  CHECK(architecture_to_json(model) == json);
}

TEST_CASE("architecture: each lie is found") {
  CHECK(refusal("/name", "other").empty());
  CHECK(refusal("/tieout", 2) == "tieout's architecture has version 2; this tieout reads version 1");
  CHECK(refusal("/nodes/0/inputs/0/value", {0, 0}) ==
        "tieout's architecture, node 0: expected an integer from -1 to -1");
  CHECK(refusal("/nodes/0/inputs/0/value", {-1, 2}) ==
        "tieout's architecture, node 0: expected an integer from 0 to 1");
  CHECK(refusal("/nodes/0/inputs/0/value", {-1, 0.5}) ==
        "tieout's architecture, node 0: expected an integer from 0 to 1");
  CHECK(refusal("/outputs/0", {1, 0}) ==
        "tieout's architecture, the outputs: expected an integer from -1 to 0");
  CHECK(refusal("/outputs/0", 18446744073709551615U) ==
        "tieout's architecture, the outputs: expected [node, output]");
  CHECK(refusal("/nodes/0/parameters/0/tensor", "b") ==
        "tieout's architecture, node 0: the file has no tensor 'b'");
  CHECK(refusal("/nodes/0/settings", 1) == "tieout's architecture, node 0: 'settings' is not an object");
  CHECK(refusal("/nodes/0/class", 1) == "tieout's architecture, node 0: 'class' is not a string");
  CHECK(refusal("/inputs/0/dtype", "f") == "tieout's architecture, input 0: the element type 'f' is unknown");
  CHECK(refusal("/inputs/0/shape", {-5}) ==
        "tieout's architecture, input 0: expected an integer from 0 to 9223372036854775807");
}

}  // namespace
}  // namespace tieout
