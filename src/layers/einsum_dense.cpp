#include <algorithm>
#include <set>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "tieout/error.h"

// y = einsum(equation, x, kernel) + bias.   "abc,cde->abde": x is a b c, kernel is c d e, y is a b d e.
//
// Settings: input, kernel, output: the letters of the equation's parts, one for each axis, without "...";
// bias: the letters of the output's axes along which the bias runs. Parameters: kernel and bias, their axes
// named by the letters. What is nn.Linear along the last axis becomes the kind dense.

namespace tieout::layers {

namespace {

constexpr const char* own_class = "tieout.EinsumDense";
constexpr const char* own_source = R"PY(class EinsumDense(nn.Module):
    """The einsum of x with a kernel, as "abc,cde->abde" says, plus a bias."""

    def __init__(self, equation, kernel_shape, bias_shape=None):
        super().__init__()
        self.equation = equation
        self.kernel = nn.Parameter(0.02 * torch.randn(kernel_shape))
        self.bias = (
            None if bias_shape is None else nn.Parameter(torch.zeros(bias_shape))
        )

    def forward(self, x):
        y = torch.einsum(self.equation, x, self.kernel)
        return y if self.bias is None else y + self.bias
)PY";

struct Equation {
  std::string input;
  std::string kernel;
  std::string output;
  std::string bias;          // letters along which it runs, in the output's order
  std::string bias_letters;  // one for each axis of its tensor, '1' where it does not run
};

bool contains(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

bool are_letters(const std::string& part) {
  const std::set<char> all(part.begin(), part.end());
  return !part.empty() && all.size() == part.size() &&
         std::ranges::all_of(part, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// Letters for the axes that "..." stands for.
std::string elided_letters(const std::string& used, std::size_t count) {
  std::string letters;
  for (char c = 'a'; c <= 'z' && letters.size() < count; ++c) {
    if (!contains(used, c)) letters += c;
  }
  if (letters.size() < count) throw malformed("the equation leaves no letters for so many axes");
  return letters;
}

// "...ab,bc->...ac" for an input of that rank (0: not known) without the dots.
Equation parse(const std::string& text, std::size_t rank) {
  const std::size_t comma = text.find(',');
  const std::size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma)
    throw malformed("the equation \"" + text + "\" is not of the form x,kernel->y");
  Equation e{
      text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), text.substr(arrow + 2), {}, {}};
  const std::string dots = "...";
  const bool left = e.input.starts_with(dots) && e.output.starts_with(dots);
  const bool right = !left && e.input.ends_with(dots) && e.output.ends_with(dots);
  if (left || right) {
    for (std::string* part : {&e.input, &e.output}) part->erase(left ? 0 : part->size() - 3, 3);
    const std::size_t named = e.input.size();
    if (rank != 0 && rank < named) throw malformed("the equation has more axes than the input");
    const std::string more = elided_letters(e.input + e.kernel + e.output, rank == 0 ? 0 : rank - named);
    for (std::string* part : {&e.input, &e.output}) *part = left ? more + *part : *part + more;
  }
  if (!are_letters(e.input) || !are_letters(e.kernel) || !are_letters(e.output))
    throw malformed("the equation \"" + text + "\" is not of the form x,kernel->y with different letters");
  return e;
}

void add_bias(Equation& e, const std::string& axes) {
  if (axes.empty()) return;
  std::size_t first = e.output.size();
  for (const char letter : axes) {
    if (!contains(e.output, letter)) throw malformed("the bias runs along an axis that is not in the output");
    first = std::min(first, e.output.find(letter));
  }
  for (std::size_t k = first; k < e.output.size(); ++k) {
    const bool runs = contains(axes, e.output[k]);
    e.bias_letters += runs ? e.output[k] : '1';
    if (runs) e.bias += e.output[k];
  }
}

std::string spaced(const std::string& letters) {
  std::string text;
  for (const char letter : letters) text += (text.empty() ? "" : " ") + std::string(1, letter);
  return text;
}

Equation read_equation(Lifter& lifter) {
  const auto& given = lifter.settings();
  if (given.has("lora_rank") || given.has("quantization_config")) {
    lifter.refuse("it is quantised or has LoRA weights", "merge or dequantise it in Keras and save again");
  }
  const bool known = !lifter.weights_only() && lifter.input().known;
  Equation e = parse(given.text("equation", ""), known ? lifter.input().axes.size() : 0);
  if (known && lifter.input().axes.size() != e.input.size())
    throw malformed("the equation is not for an input of that rank");
  // In PyTorch the bias' shape says nearly the same; an axis of size 1 only this.
  add_bias(e, given.text(lifter.is_torch() ? "_bias_axes" : "bias_axes", ""));
  if (e.output.front() != e.input.front() || contains(e.kernel, e.input.front())) {
    lifter.refuse("its equation " + given.text("equation", "") + " moves or sums the batch",
                  "keep the batch as the first axis of input and output");
  }
  return e;
}

// Sizes of the letters, as far as the input and the settings tell.
AxisSizes letter_sizes(Lifter& lifter, const Equation& e) {
  AxisSizes sizes;
  const Json& shape = lifter.settings().raw(lifter.is_torch() ? "kernel_shape" : "output_shape");
  if (lifter.is_torch()) {
    const auto list = lifter.settings().integers("kernel_shape", e.kernel.size());
    for (std::size_t k = 0; k < list.size(); ++k) sizes[std::string(1, e.kernel[k])] = list[k];
  } else if (shape.is_array() && shape.size() + 1 == e.output.size()) {
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (shape[k].is_number_integer()) sizes[std::string(1, e.output[k + 1])] = shape[k];
    }
  }
  if (lifter.weights_only() || !lifter.input().known) return sizes;
  for (std::size_t k = 0; k < e.input.size(); ++k) {
    const std::string letter(1, e.input[k]);
    const std::int64_t size = lifter.input().axes[k].size;
    if (size == unknown) continue;
    if (sizes.contains(letter) && sizes[letter] != size)
      lifter.expect_size(0, static_cast<int>(k), sizes[letter]);
    sizes[letter] = size;
  }
  return sizes;
}

AxisSizes only(const AxisSizes& sizes, const std::string& letters) {
  AxisSizes some;
  for (const auto& [name, size] : sizes) {
    if (contains(letters, name.front())) some[name] = size;
  }
  return some;
}

bool is_linear(const Equation& e) {
  const char from = e.input.back();
  const char to = e.output.back();
  const bool both = e.kernel == std::string{from, to} || e.kernel == std::string{to, from};
  return both && from != to &&
         e.input.substr(0, e.input.size() - 1) == e.output.substr(0, e.output.size() - 1) &&
         (e.bias.empty() || e.bias == std::string(1, to));
}

void lift_linear(Lifter& lifter, const Equation& e, const AxisSizes& sizes) {
  const auto size = [&](char letter) {
    const auto found = sizes.find(std::string(1, letter));
    return found == sizes.end() ? unknown : found->second;
  };
  const std::string pattern = e.kernel.front() == e.input.back() ? "i o" : "o i";
  Layer layer = lifter.layer("dense");
  Parameter kernel = lifter.parameter("kernel", "o i", {lifter.term("kernel", pattern)},
                                      {{"o", size(e.output.back())}, {"i", size(e.input.back())}}, "i");
  const std::int64_t units = kernel.sizes.contains("o") ? kernel.sizes.at("o") : unknown;
  layer.settings = {{"units", units}};
  layer.parameters.push_back(std::move(kernel));
  layer.parameters.push_back(e.bias.empty()
                                 ? lifter.constant("bias", "o", {{"o", units}}, 0)
                                 : lifter.parameter("bias", "o", {lifter.term("bias", "o")}, {{"o", units}}));
  lifter.add(std::move(layer));
}

void lift(Lifter& lifter) {
  const Equation e = read_equation(lifter);
  const AxisSizes sizes = letter_sizes(lifter, e);
  if (is_linear(e)) {
    lift_linear(lifter, e, sizes);
  } else {
    Layer layer = lifter.layer("einsum_dense");
    layer.settings = {{"input", e.input}, {"kernel", e.kernel}, {"output", e.output}, {"bias", e.bias}};
    layer.parameters.push_back(lifter.parameter(
        "kernel", spaced(e.kernel), {lifter.term("kernel", spaced(e.kernel))}, only(sizes, e.kernel)));
    AxisSizes solved = only(sizes, e.bias);
    for (const auto& [name, size] : only(layer.parameters[0].sizes, e.bias)) solved[name] = size;
    layer.parameters.push_back(e.bias.empty()
                                   ? lifter.constant("bias", "", {}, 0)
                                   : lifter.parameter("bias", spaced(e.bias),
                                                      {lifter.term("bias", spaced(e.bias_letters))}, solved));
    lifter.add(std::move(layer));
  }
  if (lifter.is_keras()) lifter.add_activation(lifter.settings().raw("activation"));
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const auto input = layer.settings["input"].get<std::string>();
  Axes out;
  for (const char letter : layer.settings["output"].get<std::string>()) {
    const std::size_t from = input.find(letter);
    out.push_back(from == std::string::npos ? Axis{} : inputs[0].at(from));
  }
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!out[k].name.empty()) continue;
    std::string name = "f";
    while (std::ranges::find(out, name, &Axis::name) != out.end()) name += "e";
    const std::string letter(1, layer.settings["output"].get<std::string>()[k]);
    out[k] = {name, layer.parameters.at(0).sizes.at(letter), {}};
  }
  return {out};
}

void lower(Lowerer& lowerer) {
  const Json& s = lowerer.layer().settings;
  const auto output = s["output"].get<std::string>();
  const std::string equation =
      s["input"].get<std::string>() + "," + s["kernel"].get<std::string>() + "->" + output;
  const AxisSizes& sizes = lowerer.parameter("kernel")->sizes;
  FrameworkNode node;
  if (lowerer.to_keras()) {
    Json shape = Json::array();
    for (const char letter : output.substr(1)) {
      const auto found = sizes.find(std::string(1, letter));
      shape.push_back(found == sizes.end() ? Json() : Json(found->second));
    }
    node.class_name = "EinsumDense";
    node.settings = {{"equation", equation}, {"output_shape", shape}};
    if (s["bias"] != "") node.settings["bias_axes"] = s["bias"];
    lowerer.add_node(std::move(node));
    return;
  }
  node.class_name = own_class;
  node.definition = own_source;
  const Parameter& bias = *lowerer.parameter("bias");
  node.settings = {{"equation", equation},
                   {"kernel_shape", pattern_shape(lowerer.parameter("kernel")->canonical, sizes)}};
  if (!bias.terms.empty()) {
    Equation e{.input = {}, .kernel = {}, .output = output, .bias = {}, .bias_letters = {}};
    add_bias(e, s["bias"].get<std::string>());
    node.settings["_bias_axes"] = s["bias"];
    node.settings["bias_shape"] = pattern_shape(parse_pattern(spaced(e.bias_letters)), bias.sizes);
  }
  lowerer.add_node(std::move(node));
}

// One array's place in the product: a stride for each letter that counts.
std::vector<std::size_t> strides_of(const Array& array, const std::string& own, const std::string& letters) {
  std::vector<std::size_t> strides(letters.size(), 0);
  std::size_t stride = 1;
  for (std::size_t k = own.size(); k-- > 0;) {
    strides[letters.find(own[k])] = stride;
    stride *= static_cast<std::size_t>(array.size(k));
  }
  return strides;
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Array& kernel = e.parameter("kernel");
  const Array& bias = e.parameter("bias");
  const Json& s = e.layer.settings;
  const auto input = s["input"].get<std::string>();
  const auto weights = s["kernel"].get<std::string>();
  const auto output = s["output"].get<std::string>();
  // The output's letters first, then those that are summed.
  std::string letters = output;
  for (const char letter : input + weights)
    letters += contains(letters, letter) ? "" : std::string(1, letter);
  Shape sizes;
  for (const char letter : letters) {
    sizes.push_back(contains(input, letter) ? x.size(input.find(letter)) : kernel.size(weights.find(letter)));
  }
  Array y(Shape(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(output.size())));
  const std::size_t inner =
      element_count(Shape(sizes.begin() + static_cast<std::ptrdiff_t>(output.size()), sizes.end()));
  const auto at_x = strides_of(x, input, letters);
  const auto at_kernel = strides_of(kernel, weights, letters);
  const auto at_bias = strides_of(bias, s["bias"].get<std::string>(), letters);
  for (std::size_t cell = 0; cell < y.count() * inner; ++cell) {
    std::size_t rest = cell;
    std::size_t from_x = 0;
    std::size_t from_kernel = 0;
    std::size_t from_bias = 0;
    for (std::size_t k = letters.size(); k-- > 0;) {
      const std::size_t place = rest % static_cast<std::size_t>(sizes[k]);
      rest /= static_cast<std::size_t>(sizes[k]);
      from_x += place * at_x[k];
      from_kernel += place * at_kernel[k];
      from_bias += place * at_bias[k];
    }
    if (cell % inner == 0) y.data[cell / inner] = bias.data[from_bias];
    y.data[cell / inner] += x.data[from_x] * kernel.data[from_kernel];
  }
  return {y};
}

// Two axes of the kernel of one size, taken for one another.
bool axes_swapped(Layer& layer, Framework, const std::vector<Axes>&) {
  Parameter& kernel = layer.parameters.at(0);
  const auto letters = layer.settings["kernel"].get<std::string>();
  for (std::size_t a = 0; a < letters.size(); ++a) {
    for (std::size_t b = a + 1; b < letters.size(); ++b) {
      if (kernel.sizes.at(std::string(1, letters[a])) != kernel.sizes.at(std::string(1, letters[b])))
        continue;
      std::string other = letters;
      std::swap(other[a], other[b]);
      for (auto& term : kernel.terms) term.pattern = parse_pattern(spaced(other));
      return true;
    }
  }
  return false;
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const std::string& equation, const Json& shape,
                       const Json& bias, const Shape& input) {
    return keras_case(name, "EinsumDense",
                      {{"equation", equation}, {"output_shape", shape}, {"bias_axes", bias}}, input);
  };
  std::vector<Case> all = {
      made("a linear layer", "abc,cd->abd", {nullptr, 4}, "d", {2, 3, 5}),
      made("a linear layer, kernel as in PyTorch", "abc,dc->abd", {nullptr, 4}, nullptr, {2, 3, 5}),
      made("any axes in front", "...x,xy->...y", {4}, "y", {2, 3, 6, 5}),
      made("into heads", "abc,cde->abde", {nullptr, 2, 4}, "de", {2, 3, 5}),
      made("out of heads", "abcd,cde->abe", {nullptr, 6}, "e", {2, 3, 2, 4}),
      made("along the axis in the middle", "abc,bd->adc", {4, 5}, "d", {2, 3, 5}),
      made("a kernel for each step", "abc,bcd->abd", {3, 4}, "bd", {2, 3, 5}),
      made("elementwise", "ab,b->ab", {5}, "b", {3, 5}),
      made("any axes behind", "ab...,bc->ac...", {4}, "c", {2, 3, 5, 6}),
      made("bias along the first of two", "abc,cde->abde", {nullptr, 2, 5}, "d", {2, 3, 5}),
      made("steps are summed", "abc,cd->ad", {4}, nullptr, {2, 3, 5})};
  all.push_back(made("relu", "abc,cde->abde", {nullptr, 2, 4}, "e", {2, 3, 5}));
  all.back().settings["activation"] = "relu";
  return all;
}

}  // namespace

LayerKind einsum_dense() {
  LayerKind kind;
  kind.name = "einsum_dense";
  kind.torch = exact({own_class});
  kind.keras = exact({"EinsumDense"});
  kind.summary = "y = einsum(equation, x, kernel) + bias; nn.Linear where that is the same.";
  kind.sources = {"https://keras.io/api/layers/core_layers/einsum_dense/",
                  "https://docs.pytorch.org/docs/stable/generated/torch.einsum.html"};
  kind.lift = lift;
  kind.infer = infer;
  kind.lower = lower;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::source, {}}; };
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) {
    double product = 1;
    for (const auto& [name, size] : layer.parameters.at(0).sizes) {
      if (!contains(layer.settings["output"].get<std::string>(), name.front()))
        product *= static_cast<double>(size);
    }
    return product;
  };
  kind.mistakes = {{"axes_swapped", "two axes of the kernel are taken for one another", axes_swapped}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
