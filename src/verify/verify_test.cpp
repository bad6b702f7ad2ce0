#include "verify/verify.h"

#include <doctest/doctest.h>

#include "convert/lift.h"
#include "verify/test_models.h"

using namespace tieout;
using test::tensor;

namespace {

const std::vector<double> counting{1, 2, 3, 4, 5, 6, 7, 8};

// Flattens 2 channels of 1 x 2, then 2 units: rows of the weight in c, h, w order.
FrameworkModel torch_flat() {
  auto made = test::model(Framework::torch, {unknown, 2, 1, 2});
  test::add(made, "0", "Conv2d",
            {{"in_channels", 2}, {"out_channels", 2}, {"kernel_size", {1, 1}}, {"bias", false}},
            {{"weight", tensor({2, 2, 1, 1}, {1, 0, 0, 1})}});
  test::add(made, "1", "Flatten", Json::object());
  test::add(made, "2", "Linear", {{"in_features", 4}, {"out_features", 2}},
            {{"weight", tensor({2, 4}, counting)}, {"bias", tensor({2}, {0, 0})}});
  return made;
}

FrameworkModel keras_flat(const std::vector<double>& kernel) {
  auto made = test::model(Framework::keras, {unknown, 1, 2, 2});
  test::add(made, "conv", "Conv2D", {{"filters", 2}, {"kernel_size", {1, 1}}, {"use_bias", false}},
            {{"kernel", tensor({1, 1, 2, 2}, {1, 0, 0, 1})}});
  test::add(made, "flatten", "Flatten", Json::object());
  test::add(made, "dense", "Dense", {{"units", 2}},
            {{"kernel", tensor({4, 2}, kernel)}, {"bias", tensor({2}, {0, 0})}});
  return made;
}

FrameworkModel norm(Framework framework, double epsilon, double scale) {
  const bool torch = framework == Framework::torch;
  auto made = test::model(framework, {unknown, 2});
  const auto pair = [](double x) { return tensor({2}, {x, x}); };
  test::add(
      made, torch ? "0" : "batch_normalization", torch ? "BatchNorm1d" : "BatchNormalization",
      torch ? Json{{"num_features", 2}, {"eps", epsilon}} : Json{{"axis", -1}, {"epsilon", epsilon}},
      {{"weight", pair(scale)}, {"bias", pair(0)}, {"running_mean", pair(0)}, {"running_var", pair(1)}});
  return made;
}

VerifyResult verified(FrameworkModel a, FrameworkModel b, const VerifyOptions& options = {}) {
  const Model model_a = lift(a);
  const Model model_b = lift(b);
  return verify(model_a, a, model_b, b, match(model_a, model_b), options);
}

}  // namespace

TEST_CASE("a dense layer behind a flattened image ties out when its rows are reordered, and only then") {
  // Row k of the kernel holds both units' weights; c h w order is k = 0 1 2 3, h w c order 0 2 1 3.
  const auto right = verified(torch_flat(), keras_flat({1, 5, 3, 7, 2, 6, 4, 8}));
  CHECK(right.verdict == Verdict::ties_out);
  CHECK(right.max_rel < 1e-14);
  CHECK(right.rows.back().is_output);
  const auto wrong = verified(torch_flat(), keras_flat({1, 5, 2, 6, 3, 7, 4, 8}));
  CHECK(wrong.verdict == Verdict::differs);
  REQUIRE(wrong.first_difference);
  CHECK(wrong.first_difference->a == "2");
  CHECK(wrong.first_difference->b == "dense");
  CHECK(wrong.first_difference->cause == "flatten_order");
}

TEST_CASE("a parameter that no mistake explains is named") {
  const auto wrong = verified(torch_flat(), keras_flat({1, 5, 3, 7, 2, 6, 4, 9}));
  CHECK(wrong.verdict == Verdict::differs);
  REQUIRE(wrong.first_difference);
  CHECK(wrong.first_difference->cause == "kernel");
}

TEST_CASE("an epsilon of the other framework is the cause, even where the weights hide it") {
  const auto seen = verified(norm(Framework::torch, 1e-5, 1), norm(Framework::keras, 1e-3, 1));
  CHECK(seen.verdict == Verdict::differs);
  REQUIRE(seen.first_difference);
  CHECK(seen.first_difference->cause == "epsilon");
  const auto hidden = verified(norm(Framework::torch, 1e-5, 0), norm(Framework::keras, 1e-3, 0));
  CHECK(hidden.rows.at(0).ties_out);
  CHECK(hidden.verdict == Verdict::differs);
  REQUIRE(hidden.first_difference);
  CHECK(hidden.first_difference->cause == "epsilon");
  CHECK(hidden.first_difference->message.starts_with("hidden by the weights"));
}

TEST_CASE("a witness that cannot run leaves the verdict open and says why") {
  VerifyOptions options;
  options.b.kind = WitnessSpec::Kind::keras;
  options.b.python = "false";
  const auto result = verified(norm(Framework::torch, 1e-5, 1), norm(Framework::keras, 1e-5, 1), options);
  CHECK(result.verdict == Verdict::not_proven);
  REQUIRE(!result.findings.empty());
  CHECK(result.findings.back().message == "the keras witness ended with exit code 1; it said nothing");
  options.b.kind = WitnessSpec::Kind::torch;
  CHECK_THROWS_AS(verified(norm(Framework::torch, 1e-5, 1), norm(Framework::keras, 1e-5, 1), options), Error);
}

TEST_CASE("evidence brings its own inputs and is compared in its layout") {
  VerifyOptions options;
  options.b.kind = WitnessSpec::Kind::evidence;
  options.b.file = "recorded.npz";
  // Identity convolution, so the flattened input in h w c order is that of keras_flat: (1, 2, 3, 4) as rows.
  options.b.evidence = {
      {"input/0", tensor({1, 1, 2, 2}, {1, 2, 3, 4})},
      {"output/0", tensor({1, 2}, {1 * 1 + 2 * 3 + 3 * 2 + 4 * 4, 5 * 1 + 7 * 2 + 6 * 3 + 8 * 4})}};
  const auto good = verified(torch_flat(), keras_flat({1, 5, 3, 7, 2, 6, 4, 8}), options);
  CHECK(good.verdict == Verdict::ties_out);
  CHECK(good.witness_b == "recorded.npz");
  CHECK(good.rows.size() == 1);
  options.b.evidence[1].tensor = tensor({1, 2}, {29, 70});
  CHECK(verified(torch_flat(), keras_flat({1, 5, 3, 7, 2, 6, 4, 8}), options).verdict == Verdict::differs);
}

TEST_CASE("unknown sizes and a probe of another shape are refused with a way out") {
  auto open = test::model(Framework::torch, {unknown, unknown});
  test::add(open, "0", "ReLU", Json::object());
  CHECK_THROWS_AS(verified(open, open), Error);
}
