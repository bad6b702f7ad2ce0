#include <algorithm>
#include <cmath>
#include <numeric>

#include "layers/layer_kind.h"
#include "layers/shared/along_axis.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// Products of two inputs, summed along one axis of each, for each sample.
//
//   a: n i... f   b: n j... f (the summed axes anywhere behind n)   ->   y: n i... j..., or n 1 without i and
//   j
//
// Settings: axes, the summed ones, counted in the inputs' own orders; normalize: rows along them are first
// divided by their length (at least 1e-7, keras.config.epsilon()).

namespace tieout::layers {

namespace {

constexpr double shortest = 1e-7;
constexpr const char* torch_function = "torch.dot";

std::vector<std::int64_t> axes_of(const Lifter& lifter) {
  const auto given = lifter.settings().integers("axes", 2);
  std::vector<std::int64_t> axes;
  for (std::size_t k = 0; k < 2; ++k) {
    if (!lifter.input(k).known) throw malformed("the rank of an input is not known");
    axes.push_back(checked_axis(given[k], static_cast<std::int64_t>(lifter.input(k).axes.size())));
    if (axes[k] == 0) throw malformed("the summed axis is the batch");
  }
  return axes;
}

// Names for axes that have none: those of a, then those of b, the summed ones alike.
std::vector<std::string> names(std::size_t rank, std::int64_t summed, const std::string& other) {
  std::vector<std::string> all{"n"};
  int count = 0;
  for (std::size_t k = 1; k < rank; ++k) {
    if (static_cast<std::int64_t>(k) == summed) {
      all.emplace_back("f");
    } else {
      all.push_back(other + (++count == 1 ? "" : std::to_string(count)));
    }
  }
  return all;
}

void lift(Lifter& lifter) {
  if (lifter.input_count() != 2) throw malformed("a Dot takes two inputs");
  const auto axes = axes_of(lifter);
  for (std::size_t k = 0; k < 2; ++k) {
    lifter.roles(k, names(lifter.input(k).axes.size(), axes[k], k == 0 ? "t" : "s"));
  }
  lifter.expect_size(1, static_cast<int>(axes[1]), lifter.size(0, static_cast<int>(axes[0])));
  Layer layer = lifter.layer("dot");
  layer.settings = {{"axes", axes}, {"normalize", lifter.settings().flag("normalize", false)}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const auto axes = layer.settings["axes"].get<std::vector<std::size_t>>();
  Axes out{inputs[0].at(0)};
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 1; i < inputs[k].size(); ++i) {
      if (i == axes[k]) continue;
      Axis axis = inputs[k][i];
      while (std::ranges::find(out, axis.name, &Axis::name) != out.end()) axis.name += "2";
      out.push_back(axis);
    }
  }
  if (out.size() == 1) out.push_back({"f", 1, {}});
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  if (lowerer.to_keras()) {
    FrameworkNode node;
    node.class_name = "Dot";
    node.settings = {{"axes", s["axes"]}, {"normalize", s["normalize"]}};
    node.inputs_as_list = true;
    lowerer.add_node(std::move(node));
    return;
  }
  const auto axes = s["axes"].get<std::vector<std::size_t>>();
  std::string parts[2];
  std::string out = "n";
  std::string terms;
  char letter = 'a';
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < lowerer.axes(k).size(); ++i) {
      const char own = i == 0 ? 'n' : i == axes[k] ? 'x' : letter++;
      parts[k] += own;
      if (own != 'n' && own != 'x') out += own;
      if (letter == 'n') ++letter;
    }
    const std::string input = "{" + std::to_string(k) + "}";
    terms += ", " + (s["normalize"].get<bool>()
                         ? "F.normalize(" + input + ", dim=" + std::to_string(axes[k]) + ", eps=1e-7)"
                         : input);
  }
  const std::string call = "torch.einsum(\"" + parts[0] + "," + parts[1] + "->" + out + "\"" + terms + ")";
  lowerer.add(torch_function, {{"axes", s["axes"]}, {"normalize", s["normalize"]}},
              out.size() == 1 ? call + ".unsqueeze(1)" : call);
}

// The summed axis last, rows divided by their lengths where asked.
Array arranged(const Array& x, std::size_t axis, bool normalize) {
  std::vector<int> order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + static_cast<std::ptrdiff_t>(axis),
              order.begin() + static_cast<std::ptrdiff_t>(axis) + 1, order.end());
  const Array y = permuted(x, order);
  if (!normalize) return y;
  return along_axis(y, -1, [](double* row, std::int64_t size) {
    const double length = std::sqrt(std::inner_product(row, row + size, row, 0.0));
    for (std::int64_t k = 0; k < size; ++k) row[k] /= std::max(length, shortest);
  });
}

std::vector<Array> compute(const Evaluation& e) {
  const auto axes = e.integers("axes");
  const bool normalize = e.flag("normalize");
  const Array a = arranged(*e.inputs[0], static_cast<std::size_t>(axes[0]), normalize);
  const Array b = arranged(*e.inputs[1], static_cast<std::size_t>(axes[1]), normalize);
  Shape shape(a.shape.begin(), a.shape.end() - 1);
  shape.insert(shape.end(), b.shape.begin() + 1, b.shape.end() - 1);
  if (shape.size() == 1) shape.push_back(1);
  Array y(shape);
  const auto batch = static_cast<std::size_t>(a.size(0));
  const auto width = static_cast<std::size_t>(a.shape.back());
  const std::size_t rows_a = a.count() / batch / width;
  const std::size_t rows_b = b.count() / batch / width;
  std::size_t at = 0;
  for (std::size_t row = 0; row < batch * rows_a; ++row) {
    const double* left = a.data.data() + row * width;
    for (std::size_t other = 0; other < rows_b; ++other) {
      const double* right = b.data.data() + (row / rows_a * rows_b + other) * width;
      y.data[at++] = std::inner_product(left, left + width, right, 0.0);
    }
  }
  return {y};
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const Json& settings, const std::vector<Shape>& shapes) {
    Case test = keras_case(name, "Dot", settings, shapes[0]);
    test.input_shapes = shapes;
    return test;
  };
  Case tiny = made("normalised, tiny", {{"axes", 1}, {"normalize", true}}, {{3, 4}, {3, 4}});
  tiny.inputs = "small";
  return {made("vectors", {{"axes", 1}}, {{3, 4}, {3, 4}}),
          made("normalised vectors", {{"axes", -1}, {"normalize", true}}, {{3, 4}, {3, 4}}),
          tiny,
          made("sequences", {{"axes", {2, 2}}}, {{2, 3, 4}, {2, 5, 4}}),
          made("different axes", {{"axes", {1, 2}}}, {{2, 3, 5}, {2, 6, 3}}),
          made("normalised along the steps", {{"axes", 1}, {"normalize", true}}, {{2, 3, 5}, {2, 3, 4}}),
          made("a vector and a sequence", {{"axes", {1, 2}}}, {{2, 4}, {2, 5, 4}}),
          made("a sequence and a vector", {{"axes", {2, 1}}}, {{2, 5, 4}, {2, 4}}),
          made("an image and a sequence", {{"axes", {3, 1}}}, {{2, 4, 5, 3}, {2, 3, 6}})};
}

}  // namespace

LayerKind dot() {
  LayerKind kind;
  kind.name = "dot";
  kind.torch = exact({torch_function});
  kind.keras = exact({"Dot"});
  kind.summary = "Products of two inputs, summed along one axis of each, for each sample.";
  kind.sources = {"https://keras.io/api/layers/merging_layers/dot/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.compute = compute;
  kind.fan_in = [](const Layer&) { return 64.0; };
  kind.mistakes = {
      wrong_setting("normalize", "the vectors are not brought to length 1 first", "normalize", false, false)};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
