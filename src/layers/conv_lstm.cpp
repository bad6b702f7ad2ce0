#include <algorithm>
#include <utility>

#include "layers/shared/conv_lstm.h"
#include "layers/shared/recurrent_functions.h"
#include "layers/shared/recurrent_gates.h"
#include "layers/shared/spatial.h"

// Long short-term memory whose products are convolutions, over 1 to 3 spatial axes.
//
//   x: n t c s...   kernel: g o i s... (i = c)   recurrent_kernel: g o v s... (v = o)   bias: g o
//   ->   y: n t o s'..., or n o s'... (the last step)
//
//   i, f, o = sigmoid(kernel * x + recurrent_kernel * h + bias)   g = tanh(the same)
//   c = f c + i g    h = o tanh(c)
//
// The convolution of h has stride 1 and Keras' "same" padding. Settings: kernel, strides, dilation, padding
// (of the convolution of x) as in convolution.h; direction ("forward", "backward"), returns, states, initial,
// mask, zero_masked, activation, recurrent_activation as in recurrent.h. PyTorch has no such module: NAME.py
// gets one.

namespace tieout {

namespace {

using Sizes = std::vector<std::int64_t>;

const std::vector<std::string> class_names{"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};

std::vector<std::string> sequence_names(std::size_t rank) {
  std::vector<std::string> names = image_names(rank);
  names.insert(names.begin() + 1, "t");
  return names;
}

std::string spatial_pattern(std::size_t rank) {
  std::string text;
  for (const auto& name : spatial_names(rank)) text += " " + name;
  return text;
}

// --- reading

// The settings that both frameworks' nodes have under the same names.
void read_torch(Lifter& lifter, Layer& layer) {
  const auto& given = lifter.settings();
  const Sizes kernel = given.list("kernel_size");
  const std::size_t rank = kernel.size();
  if (rank < 1 || rank > 3) lifter.refuse("its kernel_size has no 1 to 3 sizes", "give it 1 to 3");
  const Sizes flat = given.integers("padding", 2 * rank);
  Paddings paddings;
  for (std::size_t k = rank; k-- > 0;) paddings.push_back({flat[2 * k], flat[2 * k + 1]});
  layer.settings = {{"filters", given.integer("out_channels")},
                    {"kernel", kernel},
                    {"strides", given.integers("stride", rank)},
                    {"dilation", given.integers("dilation", rank)},
                    {"padding", to_json(paddings)},
                    {"direction", given.text("_direction", "forward")},
                    {"returns", given.text("_returns", "sequence")},
                    {"states", given.flag("_states", false)},
                    {"zero_masked", given.flag("zero_masked", false)}};
  for (const auto& [setting, otherwise] :
       {std::pair{"activation", "tanh"}, std::pair{"recurrent_activation", "sigmoid"}})
    layer.settings[setting] = recurrent_function_of_torch(given.text(setting, otherwise)).name;
}

void read_keras(Lifter& lifter, Layer& layer, std::size_t rank, const std::vector<int>& order) {
  const auto& given = lifter.settings();
  const Json& config = lifter.node().settings;
  if (given.flag("stateful", false)) {
    lifter.refuse("it is stateful: its output depends on the calls before",
                  "build the model with stateful=False");
  }
  const Sizes kernel = given.integers("kernel_size", rank);
  const Sizes strides = given.integers("strides", rank, 1);
  const Sizes dilation = given.integers("dilation_rate", rank, 1);
  Paddings paddings(rank);
  if (given.text("padding", "valid") == "same") {
    std::vector<int> image = order;
    image.erase(image.begin() + 1);
    paddings = same_padding(lifter, image, kernel, strides, dilation);
  }
  layer.settings = {
      {"filters", given.integer("filters")},
      {"kernel", kernel},
      {"strides", strides},
      {"dilation", dilation},
      {"padding", to_json(paddings)},
      {"direction", given.flag("go_backwards", false) ? "backward" : "forward"},
      {"returns", given.flag("return_sequences", false) ? "sequence" : "last"},
      {"states", given.flag("return_state", false)},
      {"zero_masked", given.flag("zero_output_for_mask", false)},
      {"activation", read_recurrent_function(lifter, config, "activation", "tanh")},
      {"recurrent_activation", read_recurrent_function(lifter, config, "recurrent_activation", "sigmoid")}};
}

void add_parameters(Lifter& lifter, Layer& layer, std::size_t rank, std::int64_t channels) {
  const bool torch = lifter.is_torch();
  const std::string space = spatial_pattern(rank);
  const std::string gates = "(g{i f g o} o)";
  AxisSizes sizes{{"o", layer.settings["filters"]}, {"i", channels}, {"v", layer.settings["filters"]}};
  const Sizes kernel = layer.settings["kernel"].get<Sizes>();
  for (std::size_t k = 0; k < rank; ++k) sizes[spatial_names(rank)[k]] = kernel[k];
  const auto add = [&](const std::string& name, const std::string& canonical, std::vector<Term> terms,
                       const std::string& without) {
    AxisSizes own = sizes;
    for (const char axis : without) own.erase(std::string(1, axis));
    layer.parameters.push_back(lifter.parameter(name, canonical, std::move(terms), own));
  };
  add("kernel", "g{i f g o} o i" + space,
      {torch ? lifter.term("input.weight", gates + " i" + space)
             : lifter.term("kernel", space + " i " + gates, "cell/vars/0")},
      "v");
  const bool has_bias = lifter.settings().flag(torch ? "bias" : "use_bias", true);
  const auto bias = [&] {
    if (!has_bias) return std::vector<Term>{};
    return std::vector<Term>{torch ? lifter.term("input.bias", gates)
                                   : lifter.term("bias", gates, "cell/vars/2")};
  };
  // state_dict lists the bias of the first convolution before the second one's kernel, Keras after it.
  std::vector<Term> first = torch ? bias() : std::vector<Term>{};
  add("recurrent_kernel", "g{i f g o} o v" + space,
      {torch ? lifter.term("recurrent.weight", gates + " v" + space)
             : lifter.term("recurrent_kernel", space + " v " + gates, "cell/vars/1")},
      "i");
  AxisSizes units{{"o", layer.settings["filters"]}};
  layer.parameters.push_back(
      lifter.parameter("bias", "g{i f g o} o", torch ? std::move(first) : bias(), units));
}

void lift(Lifter& lifter) {
  const std::string& name = lifter.node().class_name;
  const bool torch = lifter.is_torch();
  Layer layer = lifter.layer("conv_lstm");
  std::size_t rank = 0;
  if (torch) {
    read_torch(lifter, layer);
    rank = layer.settings["kernel"].size();
  } else {
    rank = static_cast<std::size_t>(std::ranges::find(class_names, name) - class_names.begin()) + 1;
  }
  const bool channels_last =
      !torch && lifter.settings().text("data_format", "channels_last") == "channels_last";
  const std::vector<int> order = conv_lstm_order(rank, channels_last, true);
  lifter.roles(0, sequence_names(rank), order);
  if (!torch) read_keras(lifter, layer, rank, order);
  const std::vector<int> image = conv_lstm_order(rank, channels_last, false);
  std::vector<int> mask;
  std::vector<int> states;
  for (std::size_t k = 1; k < layer.inputs.size(); ++k) {
    const bool is_mask = lifter.node().inputs.at(k).keyword == "mask";
    is_mask ? lifter.roles(k, {"n", "t"}) : lifter.roles(k, image_names(rank), image);
    (is_mask ? mask : states).push_back(layer.inputs[k]);
  }
  if (mask.size() > 1 || (!states.empty() && states.size() != 2))
    lifter.refuse("it is called with other inputs than a sequence, a mask, h and c", "call it with those");
  layer.settings["mask"] = !mask.empty();
  layer.settings["initial"] = !states.empty();
  layer.orders.assign(1 + mask.size(), {});
  layer.orders[0] = order;
  layer.orders.insert(layer.orders.end(), states.size(), image);
  layer.inputs.resize(std::min<std::size_t>(layer.inputs.size(), 1));
  layer.inputs.insert(layer.inputs.end(), mask.begin(), mask.end());
  layer.inputs.insert(layer.inputs.end(), states.begin(), states.end());
  layer.output_order = layer.settings["returns"] == "last" ? image : order;
  add_parameters(lifter, layer, rank, lifter.size(0, order[2]));
  lifter.add(std::move(layer));
}

// --- meaning

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Axes& x = inputs[0];
  const Paddings paddings = paddings_from(layer.settings);
  const auto at = [&](const char* setting, std::size_t k) {
    return layer.settings[setting][k].get<std::int64_t>();
  };
  Axes state{x.at(0), {x.at(2).name, layer.settings["filters"].get<std::int64_t>(), {}}};
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    const Axis& axis = x.at(k + 3);
    state.push_back(
        {axis.name,
         window_count(axis.size, paddings[k], at("kernel", k), at("strides", k), at("dilation", k)),
         {}});
  }
  std::vector<Axes> outputs{state};
  if (layer.settings["returns"] == "sequence") outputs[0].insert(outputs[0].begin() + 1, x.at(1));
  if (layer.settings["states"] != true) return outputs;
  const std::vector<int> order = conv_lstm_state_order(layer);
  Axes arranged(state.size());
  for (std::size_t k = 0; k < state.size(); ++k) arranged[static_cast<std::size_t>(order[k])] = state[k];
  outputs.insert(outputs.end(), 2, arranged);
  return outputs;
}

// --- writing

void write_torch(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  Json padding = Json::array();
  const Paddings paddings = paddings_from(settings);
  for (std::size_t k = paddings.size(); k-- > 0;) {
    padding.push_back(paddings[k].low);
    padding.push_back(paddings[k].high);
  }
  FrameworkNode node;
  node.class_name = "tieout.ConvLSTM";
  node.definition = conv_lstm_definition();
  node.settings = {{"in_channels", lowerer.axes().at(2).size},
                   {"out_channels", settings["filters"]},
                   {"kernel_size", settings["kernel"]},
                   {"stride", settings["strides"]},
                   {"padding", padding},
                   {"dilation", settings["dilation"]}};
  if (!lowerer.stores("bias")) node.settings["bias"] = false;
  for (const char* setting : {"activation", "recurrent_activation"})
    node.settings[setting] = recurrent_function(settings[setting].get<std::string>()).torch;
  if (settings["zero_masked"] == true) node.settings["zero_masked"] = true;
  const bool backward = settings["direction"] == "backward";
  const bool mask = settings["mask"] == true;
  const std::string turned = backward ? ".flip(1)" : "";
  node.call = "{module}({0}" + turned;
  if (settings["initial"] == true) node.call += mask ? ", ({2}, {3})" : ", ({1}, {2})";
  if (mask) node.call += ", mask={1}" + turned;
  node.call += ")";
  node.settings["_returns"] = settings["returns"];
  if (backward) node.settings["_direction"] = "backward";
  const std::string y = settings["returns"] == "last" ? "[0][:, -1]" : "[0]";
  if (settings["states"] == true) {
    node.settings["_states"] = true;
    node.settings["_outputs"] = {y, "[1][0]", "[1][1]"};
  } else {
    node.call += y;
  }
  for (std::size_t k = 0; k < lowerer.inputs().size(); ++k)
    node.inputs.push_back({lowerer.inputs()[k], k == 1 && mask ? "mask" : ""});
  lowerer.add_node(std::move(node));
}

// "valid", or "same" where the paddings are those that Keras takes at this size.
std::string keras_padding(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  const Paddings paddings = paddings_from(settings);
  if (std::ranges::all_of(paddings, [](const Padding& p) { return p == Padding{}; })) return "valid";
  for (std::size_t k = 0; k < paddings.size(); ++k) {
    const auto stride = settings["strides"][k].get<std::int64_t>();
    const auto reach =
        (settings["kernel"][k].get<std::int64_t>() - 1) * settings["dilation"][k].get<std::int64_t>();
    const std::int64_t size = lowerer.axes().at(k + 2).size;
    const std::int64_t total =
        stride == 1
            ? reach
            : std::max<std::int64_t>(((size + stride - 1) / stride - 1) * stride + reach + 1 - size, 0);
    if (paddings[k] != Padding{total / 2, total - total / 2})
      lowerer.refuse("its padding is not Keras' \"same\"", "give it none, or that of Keras");
  }
  return "same";
}

void write_keras(Lowerer& lowerer) {
  const Json& settings = lowerer.layer().settings;
  if (settings["initial"] == true)
    lowerer.refuse("its initial states lie otherwise in Keras", "call it with the sequence alone");
  FrameworkNode node;
  node.class_name = class_names.at(settings["kernel"].size() - 1);
  node.settings = {
      {"filters", settings["filters"]},     {"kernel_size", settings["kernel"]},
      {"strides", settings["strides"]},     {"padding", keras_padding(lowerer)},
      {"data_format", "channels_last"},     {"dilation_rate", settings["dilation"]},
      {"use_bias", lowerer.stores("bias")}, {"return_sequences", settings["returns"] == "sequence"}};
  for (const char* setting : {"activation", "recurrent_activation"}) {
    if (settings[setting] == "keras2_hard_sigmoid") {
      lowerer.refuse(
          "its " + std::string(setting) + " is Keras 2's hard_sigmoid, which Keras 3 has no name for",
          "train the model with another function");
    }
    node.settings[setting] = settings[setting];
  }
  if (settings["direction"] == "backward") node.settings["go_backwards"] = true;
  if (settings["states"] == true) node.settings["return_state"] = true;
  if (settings["zero_masked"] == true) node.settings["zero_output_for_mask"] = true;
  node.inputs = {{lowerer.inputs()[0], {}}};
  if (settings["mask"] == true) {
    node.inputs.push_back({lowerer.inputs()[1], "mask"});
    node.settings["args"] = Json::array({Json{{"input", 0}}});
    node.settings["kwargs"] = {{"mask", {{"input", 1}}}};
  }
  lowerer.add_node(std::move(node));
}

bool gate_order(Layer& layer, Framework, const std::vector<Axes>&) {
  return relabel_gates(layer, {"i", "f", "g", "o"}, {"i", "f", "o", "g"});
}

std::vector<Case> cases() {
  const auto make = [](const std::string& name, std::size_t rank, Json settings, std::vector<Shape> shapes) {
    settings.update({{"filters", 3}});
    return Case{.name = name,
                .framework = Framework::keras,
                .class_name = class_names[rank - 1],
                .settings = std::move(settings),
                .input_shapes = std::move(shapes)};
  };
  const Shape image{2, 3, 6, 5, 2};
  std::vector<Case> all{
      make("defaults (valid, last step)", 1, {{"kernel_size", 3}}, {{2, 4, 7, 2}}),
      make("same, sequence", 1, {{"kernel_size", 2}, {"padding", "same"}, {"return_sequences", true}},
           {{2, 3, 7, 2}}),
      make("defaults (valid, last step)", 2, {{"kernel_size", {3, 2}}}, {image}),
      make("same, sequence", 2, {{"kernel_size", 3}, {"padding", "same"}, {"return_sequences", true}},
           {image}),
      make("stride 2, same, even kernel", 2,
           {{"kernel_size", 2}, {"padding", "same"}, {"strides", 2}, {"return_sequences", true}}, {image}),
      make("dilation 2, no bias, backwards", 2,
           {{"kernel_size", 2}, {"dilation_rate", 2}, {"use_bias", false}, {"go_backwards", true}}, {image}),
      make("states, hard sigmoid, relu", 2,
           {{"kernel_size", 2},
            {"return_state", true},
            {"recurrent_activation", "hard_sigmoid"},
            {"activation", "relu"}},
           {image}),
      make("backwards, sequence, states", 2,
           {{"kernel_size", 2}, {"return_state", true}, {"return_sequences", true}, {"go_backwards", true}},
           {image}),
      make("initial states", 2, {{"kernel_size", 3}, {"padding", "same"}},
           {image, {2, 6, 5, 3}, {2, 6, 5, 3}}),
      make("mask, sequence", 2, {{"kernel_size", 2}, {"return_sequences", true}}, {{3, 4, 4, 5, 2}, {3, 4}}),
      make("defaults (valid, last step)", 3, {{"kernel_size", 2}}, {{2, 3, 4, 3, 5, 2}}),
      make("same, sequence", 3, {{"kernel_size", {2, 1, 3}}, {"padding", "same"}, {"return_sequences", true}},
           {{2, 2, 4, 3, 5, 2}}),
  };
  for (Case& test : all) {
    if (test.name == "mask, sequence") test.inputs = "normal,indices:2";
    test.back_refuses = test.name == "initial states";
  }
  return all;
}

}  // namespace

namespace layers {

LayerKind conv_lstm() {
  LayerKind kind;
  kind.name = "conv_lstm";
  kind.torch = {{"tieout.ConvLSTM", Status::exact, ""}};
  for (const std::string& name : class_names) kind.keras.push_back({name, Status::exact, ""});
  kind.summary =
      "Long short-term memory with convolutions along t of x (n t c s...): y (n t o s'...) or the last step.";
  kind.sources = {"https://keras.io/api/layers/recurrent_layers/conv_lstm2d/",
                  "keras/src/layers/rnn/conv_lstm.py"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer& layer, Framework target) {
    const std::size_t rank = layer.settings["kernel"].size();
    LayoutNeed need{LayoutNeed::Kind::canonical, {0, 1}};
    for (std::size_t k = 0; k < rank; ++k) need.order.push_back(static_cast<int>(k) + 3);
    need.order.insert(target == Framework::keras ? need.order.end() : need.order.begin() + 2, 2);
    return need;
  };
  kind.lower = [](Lowerer& lowerer) { lowerer.to_torch() ? write_torch(lowerer) : write_keras(lowerer); };
  kind.compute = compute_conv_lstm;
  kind.fan_in = [](const Layer& layer) {
    double sum = 0;
    for (const Parameter& parameter : layer.parameters) {
      double product = 1;
      for (const auto& [axis, size] : parameter.sizes) product *= axis == "o" ? 1 : static_cast<double>(size);
      sum += product;
    }
    return sum;
  };
  kind.mistakes = {
      {"gate_order", "the gates stand in the order i, f, o, g instead of i, f, g, o", gate_order},
      wrong_direction()};
  kind.cases = cases();
  return kind;
}

}  // namespace layers

}  // namespace tieout
