#include <doctest/doctest.h>

#include "formats/keras_config/architecture.h"
#include "formats/keras_config/build_config.h"
#include "formats/keras_config/layer_order.h"
#include "formats/keras_config/names.h"
#include "formats/keras_h5/weight_name.h"

using namespace tieout;

namespace {

FrameworkNode node(const std::string& name, const std::string& class_name, std::vector<int> from) {
  FrameworkNode made;
  made.name = name;
  made.class_name = class_name;
  made.settings = Json::object();
  made.inputs_as_list = from.size() > 1;
  for (const int source : from) made.inputs.push_back({{source, 0}, {}});
  return made;
}

FrameworkModel model_of(std::vector<FrameworkNode> nodes, std::vector<ValueRef> outputs) {
  FrameworkModel model;
  model.framework = Framework::keras;
  model.has_architecture = true;
  model.inputs.push_back({"x", {unknown, 4}, DType::f32, {}});
  model.nodes = std::move(nodes);
  model.outputs = std::move(outputs);
  return model;
}

}  // namespace

TEST_CASE("class names become group names as in Keras") {
  // Checked against keras.src.utils.naming.to_snake_case.
  CHECK(keras::snake_case("Conv2D") == "conv2d");
  CHECK(keras::snake_case("Conv2DTranspose") == "conv2d_transpose");
  CHECK(keras::snake_case("ReLU") == "re_lu");
  CHECK(keras::snake_case("PReLU") == "p_re_lu");
  CHECK(keras::snake_case("LeakyReLU") == "leaky_re_lu");
  CHECK(keras::snake_case("ELU") == "elu");
  CHECK(keras::snake_case("UpSampling2D") == "up_sampling2d");
  CHECK(keras::snake_case("ConvLSTM2D") == "conv_lstm2d");
  CHECK(keras::snake_case("RMSNormalization") == "rms_normalization");
  CHECK(keras::snake_case("SimpleRNN") == "simple_rnn");
  CHECK(keras::snake_case("MultiHeadAttention") == "multi_head_attention");
  CHECK(keras::snake_case("GroupQueryAttention") == "grouped_query_attention");
}

TEST_CASE("weight names of every Keras lose what is not the variable's own") {
  CHECK(keras::variable_name("sequential/conv2d/kernel", "conv2d") == "kernel");
  CHECK(keras::variable_name("conv2d/kernel:0", "conv2d") == "kernel");
  CHECK(keras::variable_name("conv1_3/bias:0", "conv1") == "bias");
  CHECK(keras::variable_name("conv1_W:0", "conv1") == "W");
  CHECK(keras::variable_name("lstm/lstm_cell/kernel:0", "lstm") == "lstm_cell/kernel");
}

TEST_CASE("a chain becomes a Sequential, a branch a Functional") {
  const Json chain =
      keras::config_for_zip(model_of({node("a", "Dense", {-1}), node("b", "ReLU", {0})}, {{1, 0}}));
  CHECK(chain.at("class_name") == "Sequential");
  CHECK(chain.at("config").at("layers").size() == 3);
  const Json graph =
      keras::config_for_zip(model_of({node("a", "Dense", {-1}), node("b", "Add", {0, -1})}, {{1, 0}}));
  CHECK(graph.at("class_name") == "Functional");
  CHECK(graph.at("config").at("output_layers").dump() == R"(["b",0,0])");
}

TEST_CASE("what is built is read again as it was") {
  FrameworkNode twice = node("shared", "Dense", {0});
  FrameworkNode scaled = node("scale", "Multiply", {1});
  scaled.module = "keras.src.ops.numpy";
  scaled.settings["args"] = Json::array({{{"input", 0}}, 2.0});
  scaled.settings["kwargs"] = Json::object();
  const FrameworkModel model = model_of({node("shared", "Dense", {-1}), twice, scaled}, {{2, 0}, {0, 0}});
  FrameworkModel again;
  keras::read_architecture(keras::config_for_zip(model), {}, again, {});
  REQUIRE(again.nodes.size() == 3);
  CHECK(again.nodes[1].name == "shared");
  CHECK(again.nodes[1].inputs[0].value == ValueRef{0, 0});
  CHECK(again.nodes[2].settings.at("args").dump() == R"([{"input":0},2.0])");
  CHECK(again.outputs == model.outputs);
}

TEST_CASE("layers are ordered by depth and then by the walk from the outputs") {
  // Two branches; the longer one is deeper. Keras 3.15.1 lists d1, short, d2, add for this graph (after its
  // input).
  const FrameworkModel model = model_of({node("short", "Dense", {-1}), node("d1", "Dense", {-1}),
                                         node("d2", "Dense", {1}), node("add", "Add", {0, 2})},
                                        {{3, 0}});
  std::string order;
  for (const std::size_t call : keras::layer_order(model)) order += model.nodes[call].name + " ";
  CHECK(order == "d1 short d2 add ");
}

TEST_CASE("a graph with a circle, a missing layer or a call that is not there is malformed") {
  const auto read = [](const std::string& inbound) {
    const Json config = Json::parse(
        R"({"class_name":"Functional","config":{"layers":[{"class_name":"InputLayer","name":"x","config":{"batch_shape":[null,4]},"inbound_nodes":[]},{"class_name":"Dense","name":"a","config":{},"inbound_nodes":[[[)" +
        inbound + R"(]]]}],"input_layers":[["x",0,0]],"output_layers":[["a",0,0]]}})");
    FrameworkModel model;
    keras::read_architecture(config, {}, model, {});
  };
  CHECK_NOTHROW(read(R"("x",0,0,{})"));
  CHECK_THROWS_WITH_AS(read(R"("a",0,0,{})"), "the calls of the layers form a circle", Error);
  CHECK_THROWS_WITH_AS(read(R"("y",0,0,{})"), "no layer is called y", Error);
  CHECK_THROWS_WITH_AS(read(R"("a",1,0,{})"), "the layer a has no call 1", Error);
}
