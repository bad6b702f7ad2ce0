#include <algorithm>

#include "layers/shared/category_encoding.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "layers/shared/rescaling.h"
#include "tieout/error.h"

// y = how many of the boundaries are not above x: the number of the bin that x is in.
//
// Setting "boundaries": in ascending order. Keras holds them as float32, whatever x is
// (tensorflow/core/kernels/bucketize_op.cc), and has a NaN in the last bin. An encoding of the bins
// (output_mode) is a layer of its own, category_encoding.

namespace tieout::layers {

namespace {

constexpr const char* definition = R"(class Discretization(nn.Module):
    """The number of the bin that x is in; a boundary belongs to the bin above it."""

    def __init__(self, boundaries):
        super().__init__()
        boundaries = torch.tensor(boundaries, dtype=torch.float32)
        self.register_buffer("boundaries", boundaries, persistent=False)

    def forward(self, x):
        return torch.bucketize(x.to(self.boundaries.dtype), self.boundaries, right=True)
)";

std::vector<double> boundaries_of(Lifter& lifter) {
  const bool torch = lifter.is_torch();
  const std::string name = torch ? "boundaries" : "bin_boundaries";
  if (!lifter.settings().has(name)) {
    lifter.refuse("it has not learnt its boundaries", "call adapt(), or give it bin_boundaries");
  }
  std::vector<double> boundaries = array_of(number_or_list(lifter.settings().raw(name), 0)).data;
  if (!std::ranges::is_sorted(boundaries)) throw malformed("the boundaries are not in ascending order");
  return boundaries;
}

void write(Lowerer& lowerer) {
  const Json& boundaries = lowerer.layer().settings["boundaries"];
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "Discretization", definition, {{"boundaries", boundaries}});
  } else {
    lowerer.add("Discretization", {{"bin_boundaries", boundaries}});
  }
}

auto bin_in(const Json& settings) {
  return [boundaries = settings.at("boundaries").get<std::vector<float>>()](double x) {
    return static_cast<double>(std::ranges::upper_bound(boundaries, x) - boundaries.begin());
  };
}

std::vector<Case> cases() {
  const Json boundaries = {-0.5, 0.1, 0.1, 1.2};
  const auto make = [&](const std::string& name, const std::string& mode, const Shape& shape) {
    return keras_case(name, "Discretization", {{"bin_boundaries", boundaries}, {"output_mode", mode}}, shape);
  };
  return {make("bins", "int", {3, 5}),
          make("bins, image", "int", {2, 4, 5, 3}),
          keras_case("one boundary", "Discretization", {{"bin_boundaries", {0.25}}}, {3, 5}),
          make("one-hot", "one_hot", {3, 5}),
          make("one-hot, one number", "one_hot", {3, 1}),
          make("multi-hot", "multi_hot", {3, 5}),
          make("count", "count", {3, 5})};
}

}  // namespace

LayerKind discretization() {
  Elementwise form;
  form.name = "discretization";
  form.torch = exact({"tieout.Discretization"});
  form.keras = exact({"Discretization"});
  form.summary = "y = the number of boundaries that are not above x.";
  form.read = [](Lifter& lifter) { return Json{{"boundaries", boundaries_of(lifter)}}; };
  form.function = bin_in;
  form.write = write;
  LayerKind kind = elementwise_kind(form);
  kind.lift = [plain = kind.lift](Lifter& lifter) {
    const auto& given = lifter.settings();
    if (given.flag("sparse", false)) lifter.refuse("it makes sparse tensors", "leave sparse out");
    const auto bins = static_cast<std::int64_t>(boundaries_of(lifter).size()) + 1;
    plain(lifter);
    if (lifter.is_keras()) add_category_encoding(lifter, given.text("output_mode", "int"), bins);
  };
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/numerical/discretization/"};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
