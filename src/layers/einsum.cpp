#include <algorithm>
#include <map>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/operator_call.h"
#include "layers/shared/weighted_sum.h"
#include "tieout/error.h"

// Sums of products, in Einstein's notation.   "bij,bjk->bik"
//
// Setting "equation": letters and commas, the output's letters behind the arrow.

namespace tieout::layers {

namespace {

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

Equation parse(const std::string& text) {
  Equation equation;
  const std::size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow);
  equation.output = arrow == std::string::npos ? "" : text.substr(arrow + 2);
  for (std::size_t comma = left.find(','); comma != std::string::npos; comma = left.find(',')) {
    equation.inputs.push_back(left.substr(0, comma));
    left = left.substr(comma + 1);
  }
  equation.inputs.push_back(left);
  return equation;
}

bool are_letters(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

void check(const Lifter& lifter, const Equation& equation, const std::string& text) {
  const bool plain = text.find("->") != std::string::npos && are_letters(equation.output) &&
                     std::ranges::all_of(equation.inputs, are_letters);
  if (!plain)
    lifter.refuse("its equation \"" + text.substr(0, 60) + "\" is not made of letters and an arrow",
                  "write an axis as a letter, and the output behind an arrow");
  if (equation.inputs.size() != lifter.input_count())
    throw malformed("its equation has another number of inputs");
  const char batch = equation.inputs[0].empty() ? ' ' : equation.inputs[0].front();
  const auto elsewhere = [&](const std::string& letters) {
    return letters.empty() || letters.find(batch) != 0 || letters.rfind(batch) != 0;
  };
  if (elsewhere(equation.output) || std::ranges::any_of(equation.inputs, elsewhere))
    lifter.refuse("its equation \"" + text.substr(0, 60) + "\" does not keep the batch first",
                  "begin each input and the output with the batch");
  for (std::size_t k = 0; k < equation.inputs.size(); ++k) {
    if (lifter.input(k).known && lifter.input(k).axes.size() != equation.inputs[k].size())
      throw malformed("its equation has another number of axes than input " + std::to_string(k));
  }
  for (const char letter : equation.output) {
    const bool found = std::ranges::any_of(equation.inputs, [&](const std::string& letters) {
      return letters.find(letter) != std::string::npos;
    });
    if (!found || std::ranges::count(equation.output, letter) > 1)
      throw malformed("its equation has an output that is not one of its inputs' axes");
  }
}

void lift(Lifter& lifter) {
  std::string text;
  if (lifter.is_torch()) {
    text = lifter.settings().text("equation", "");
  } else {
    text = lifter.settings().text("subscripts", "");
    if (lifter.settings().has("args")) {
      lift_weighted_sum(lifter);
      return;
    }
  }
  std::erase(text, ' ');
  check(lifter, parse(text), text);
  Layer layer = lifter.layer("einsum");
  layer.settings = {{"equation", text}};
  lifter.add(std::move(layer));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Equation equation = parse(layer.settings["equation"].get<std::string>());
  Axes out;
  for (const char letter : equation.output) {
    Axis axis;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const std::size_t place = equation.inputs.at(k).find(letter);
      if (place == std::string::npos) continue;
      const Axis& own = inputs[k].at(place);
      if (axis.name.empty())
        axis = own;
      else if (axis.size == unknown)
        axis.size = own.size;
    }
    // What comes of several inputs has no name of its own.
    if (!out.empty()) axis = {free_axis_name(out, std::string("e") + letter), axis.size, {}};
    out.push_back(axis);
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& equation = lowerer.layer().settings["equation"];
  if (lowerer.to_torch()) {
    lowerer.add("torch.einsum", {{"equation", equation}}, "torch.einsum(" + equation.dump() + ", {*})");
  } else {
    lowerer.add_node(operator_node("numpy", "Einsum", {{"subscripts", equation}}));
  }
}

// A counter over all letters: the output's first, then those that are summed.
std::vector<Array> compute(const Evaluation& e) {
  const Equation equation = parse(e.layer.settings.at("equation").get<std::string>());
  std::string letters = equation.output;
  std::map<char, std::int64_t> sizes;
  for (std::size_t k = 0; k < e.inputs.size(); ++k) {
    for (std::size_t axis = 0; axis < equation.inputs[k].size(); ++axis) {
      const char letter = equation.inputs[k][axis];
      const auto [found, fresh] = sizes.emplace(letter, e.inputs[k]->size(axis));
      if (!fresh && found->second != e.inputs[k]->size(axis))
        throw malformed("axes of one letter have different sizes");
      if (letters.find(letter) == std::string::npos) letters += letter;
    }
  }
  // For each array, the step that a cell along each letter makes.
  const auto steps_of = [&](const std::string& own) {
    std::vector<std::size_t> steps(letters.size(), 0);
    std::size_t stride = 1;
    for (std::size_t axis = own.size(); axis-- > 0;) {
      steps[letters.find(own[axis])] += stride;
      stride *= static_cast<std::size_t>(sizes.at(own[axis]));
    }
    return steps;
  };
  std::vector<std::vector<std::size_t>> steps;
  for (const auto& own : equation.inputs) steps.push_back(steps_of(own));
  steps.push_back(steps_of(equation.output));
  Shape shape;
  for (const char letter : equation.output) shape.push_back(sizes.at(letter));
  Array y(shape);
  std::vector<std::size_t> from(steps.size(), 0);
  std::vector<std::int64_t> at(letters.size(), 0);
  std::size_t products = 1;
  for (const char letter : letters) products *= static_cast<std::size_t>(sizes.at(letter));
  for (std::size_t n = 0; n < products; ++n) {
    double product = 1;
    for (std::size_t k = 0; k < e.inputs.size(); ++k) product *= e.inputs[k]->data[from[k]];
    y.data[from.back()] += product;
    for (std::size_t p = letters.size(); p-- > 0;) {
      const std::int64_t size = sizes.at(letters[p]);
      const bool turns = ++at[p] == size;
      for (std::size_t k = 0; k < steps.size(); ++k)
        from[k] = turns ? from[k] - steps[k][p] * static_cast<std::size_t>(size - 1) : from[k] + steps[k][p];
      if (!turns) break;
      at[p] = 0;
    }
  }
  return {y};
}

}  // namespace

LayerKind einsum() {
  LayerKind kind;
  kind.name = "einsum";
  kind.torch = exact({"torch.einsum"});
  kind.keras = exact({"ops.Einsum"});
  kind.summary = "Sums of products of inputs, in Einstein's notation.";
  kind.sources = {"https://docs.pytorch.org/docs/stable/generated/torch.einsum.html",
                  "https://keras.io/api/ops/numpy/"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.cases = {
      operator_case("scores", "Einsum", {{"subscripts", "bqd,bkd->bqk"}}, {{2, 4, 3}, {2, 5, 3}}),
      operator_case("of images", "Einsum", {{"subscripts", "bhwc,bhwd->bcd"}}, {{2, 4, 5, 3}, {2, 4, 5, 2}}),
      operator_case("of one input", "Einsum", {{"subscripts", "bhwc->bch"}}, {{2, 4, 5, 3}}),
      operator_case("of three", "Einsum", {{"subscripts", "bi,bij,bj->bj"}}, {{2, 4}, {2, 4, 3}, {2, 3}})};
  return kind;
}

}  // namespace tieout::layers
