#include "layers/shared/recurrent_cases.h"

#include <utility>

namespace tieout {

namespace {

Json with(Json settings, const Json& more) {
  settings.update(more);
  return settings;
}

Case torch_case(const RecurrentCell& cell, const std::string& name, const Json& more, const Shape& input) {
  return {.name = name,
          .framework = Framework::torch,
          .class_name = cell.torch_class,
          .settings = with({{"input_size", input[2]}, {"hidden_size", 5}}, more),
          .input_shapes = {input}};
}

Case keras_case(const RecurrentCell& cell, const std::string& name, const Json& more,
                std::vector<Shape> inputs = {{2, 4, 3}}) {
  return {.name = name,
          .framework = Framework::keras,
          .class_name = cell.keras_class,
          .settings = with({{"units", 5}}, more),
          .input_shapes = std::move(inputs)};
}

// x and as many states as the cell has, for each direction.
std::vector<Shape> with_states(const RecurrentCell& cell, std::size_t directions) {
  std::vector<Shape> shapes{{2, 4, 3}};
  shapes.insert(shapes.end(), directions * cell.states, Shape{2, 5});
  return shapes;
}

Case masked(Case test, std::size_t states = 0) {
  test.input_shapes = {{3, 5, 3}, {3, 5}};
  test.input_shapes.insert(test.input_shapes.end(), states, Shape{3, 5});
  test.inputs = "normal,indices:2,normal";
  return test;
}

Case cell_case(const RecurrentCell& cell, const std::string& name, const Json& more) {
  Case test = torch_case(cell, name, more, {4, 2, 3});
  test.class_name += "Cell";
  test.input_shapes = {{2, 3}};
  return test;
}

std::vector<Case> torch_cases(const RecurrentCell& cell) {
  const Json both = {{"bidirectional", true}};
  const Json batch_first = {{"batch_first", true}};
  return {
      torch_case(cell, "batch first", batch_first, {2, 4, 3}),
      torch_case(cell, "defaults (time first)", Json::object(), {4, 2, 3}),
      torch_case(cell, "no bias", {{"batch_first", true}, {"bias", false}}, {3, 5, 6}),
      torch_case(cell, "one step", batch_first, {2, 1, 3}),
      torch_case(cell, "two levels", {{"num_layers", 2}, {"batch_first", true}}, {2, 4, 3}),
      torch_case(cell, "bidirectional", with(both, batch_first), {2, 4, 3}),
      torch_case(cell, "bidirectional, two levels, time first, dropout",
                 with(both, {{"num_layers", 2}, {"dropout", 0.5}}), {4, 2, 3}),
      torch_case(cell, "bidirectional, three levels, no bias",
                 with(both, {{"num_layers", 3}, {"bias", false}, {"batch_first", true}}), {2, 4, 3}),
      cell_case(cell, "one step", Json::object()),
      cell_case(cell, "one step, no bias", {{"bias", false}}),
  };
}

std::vector<Case> keras_cases(const RecurrentCell& cell) {
  const Json sequence = {{"return_sequences", true}};
  const Json states = {{"return_state", true}};
  const Json backward = {{"go_backwards", true}};
  return {
      keras_case(cell, "defaults (last step)", Json::object()),
      keras_case(cell, "sequence", sequence, {{3, 6, 2}}),
      keras_case(cell, "no bias", with(sequence, {{"use_bias", false}})),
      keras_case(cell, "dropouts, unrolled",
                 {{"dropout", 0.4}, {"recurrent_dropout", 0.3}, {"unroll", true}}),
      keras_case(cell, "backwards", backward),
      keras_case(cell, "backwards, sequence", with(sequence, backward)),
      keras_case(cell, "states", states),
      keras_case(cell, "states and sequence", with(states, sequence)),
      keras_case(cell, "states, backwards", with(states, backward)),
      keras_case(cell, "initial states", sequence, with_states(cell, 1)),
      keras_case(cell, "initial states, backwards, states", with(states, backward), with_states(cell, 1)),
      keras_case(cell, "softsign", with(sequence, {{"activation", "softsign"}})),
      keras_case(cell, "no activation, no bias", {{"activation", nullptr}, {"use_bias", false}}),
      masked(keras_case(cell, "mask", Json::object())),
      masked(keras_case(cell, "mask, sequence", sequence)),
      masked(keras_case(cell, "mask, sequence, zeros", with(sequence, {{"zero_output_for_mask", true}}))),
      masked(keras_case(cell, "mask, last, zeros, states", with(states, {{"zero_output_for_mask", true}}))),
      masked(keras_case(cell, "mask, backwards, sequence", with(sequence, backward))),
      masked(keras_case(cell, "mask, initial states, sequence, states", with(sequence, states)), cell.states),
  };
}

}  // namespace

std::vector<Case> recurrent_cases(const RecurrentCell& cell) {
  std::vector<Case> all = torch_cases(cell);
  for (Case& test : keras_cases(cell)) all.push_back(std::move(test));
  if (!cell.recurrent_activation) return all;
  all.push_back(keras_case(cell, "hard sigmoid", {{"recurrent_activation", "hard_sigmoid"}}));
  all.push_back(
      keras_case(cell, "relu, sequence",
                 {{"activation", "relu"}, {"recurrent_activation", "tanh"}, {"return_sequences", true}}));
  return all;
}

std::vector<Case> bidirectional_cases(const RecurrentCell& cell) {
  const auto wrapped = [&](const std::string& name, const Json& config, const Json& more = Json::object(),
                           std::vector<Shape> inputs = {{2, 4, 3}}) {
    Case test = keras_case(cell, cell.keras_class + ", " + name, Json::object(), std::move(inputs));
    test.class_name = "Bidirectional";
    test.settings = {{"layer",
                      {{"module", "keras.layers"},
                       {"class_name", cell.keras_class},
                       {"config", with({{"units", 5}}, config)},
                       {"registered_name", nullptr}}}};
    test.settings.update(more);
    return test;
  };
  const Json none = Json::object();
  const Json sequence = {{"return_sequences", true}};
  const Json states = {{"return_state", true}};
  const Json apart = {{"merge_mode", nullptr}};
  std::vector<Case> all{
      wrapped("sequence", sequence),
      wrapped("last steps", none),
      wrapped("no bias", {{"use_bias", false}, {"return_sequences", true}}),
      wrapped("apart", sequence, apart),
      wrapped("last steps apart, states", states, apart),
      wrapped("states", with(states, sequence)),
      wrapped("initial states", sequence, none, with_states(cell, 2)),
      wrapped("initial states, last steps", states, none, with_states(cell, 2)),
      wrapped("softsign", with(sequence, {{"activation", "softsign"}})),
      masked(wrapped("mask, sequence", sequence)),
      masked(wrapped("mask, last steps, states", states)),
  };
  for (const char* mode : {"sum", "mul", "ave"}) {
    all.push_back(wrapped(std::string(mode) + ", sequence", sequence, {{"merge_mode", mode}}));
    all.push_back(wrapped(std::string(mode) + ", last steps", none, {{"merge_mode", mode}}));
  }
  return all;
}

std::vector<Case> cases_of_two_layers() {
  const auto layer = [](const char* class_name, const Json& config) {
    return Json{{"module", "keras.layers"},
                {"class_name", class_name},
                {"config", config},
                {"registered_name", nullptr}};
  };
  const auto made = [&](const std::string& name, const Json& forward, const Json& backward,
                        const Json& merge) {
    return Case{.name = "two layers, " + name,
                .framework = Framework::keras,
                .class_name = "Bidirectional",
                .settings = {{"layer", forward}, {"backward_layer", backward}, {"merge_mode", merge}},
                .input_shapes = {{2, 4, 3}}};
  };
  const Json sequence = {{"units", 5}, {"return_sequences", true}};
  const Json turned = with(sequence, {{"go_backwards", true}});
  return {made("sequence", layer("LSTM", sequence), layer("GRU", with(turned, {{"units", 2}})), "concat"),
          made("last steps", layer("GRU", {{"units", 5}}),
               layer("SimpleRNN", {{"units", 3}, {"go_backwards", true}}), "concat"),
          made("other functions, sum", layer("LSTM", sequence),
               layer("LSTM", with(turned, {{"activation", "softsign"}})), "sum"),
          made("ave, last steps", layer("LSTM", {{"units", 5}}),
               layer("GRU", {{"units", 5}, {"go_backwards", true}}), "ave"),
          made("mul", layer("GRU", sequence), layer("LSTM", turned), "mul")};
}

}  // namespace tieout
