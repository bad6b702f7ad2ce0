#include "report/verify_text.h"

#include <doctest/doctest.h>

#include <limits>

#include "report/verify_json.h"

using namespace tieout;

namespace {

VerifyResult result_of_two_rows() {
  VerifyResult result;
  result.verdict = Verdict::differs;
  result.witness_a = "interpreter";
  result.witness_b = "keras";
  result.rows.push_back({.a = "0",
                         .b = "conv2d",
                         .kind_a = "conv2d",
                         .kind_b = "conv2d",
                         .shape = {2, 6, 28, 28},
                         .max_abs = 0,
                         .max_rel = 0,
                         .tolerance = 3e-12,
                         .ties_out = true,
                         .is_output = false,
                         .note = {}});
  result.rows.push_back({.a = "9",
                         .b = "dense\x1b",
                         .kind_a = "dense",
                         .kind_b = "dense",
                         .shape = {2, 10},
                         .max_abs = std::numeric_limits<double>::infinity(),
                         .max_rel = 0.5,
                         .tolerance = 1e-12,
                         .ties_out = false,
                         .is_output = true,
                         .note = "the shapes differ: (2, 10) and (2, 9)"});
  result.max_abs = std::numeric_limits<double>::infinity();
  result.max_rel = 0.5;
  result.first_difference = FirstDifference{"9", "dense", "flatten_order", "rows in the other order"};
  return result;
}

}  // namespace

TEST_CASE("the report has a line a layer, the cause and the verdict") {
  const std::string text = verify_text(result_of_two_rows(), false);
  CHECK(text ==
        "A: interpreter  B: keras         shape           max abs   max rel  tolerance\n"
        "0 conv2d        conv2d conv2d    (2, 6, 28, 28)        0         0   3.00e-12  ties out\n"
        "9 dense         dense\\x1b dense  (2, 10)             inf  5.00e-01   1.00e-12  DIFFERS  output\n"
        "\n"
        "first difference: 9 | dense\n"
        "cause: flatten_order\n"
        "  rows in the other order\n"
        "largest difference: inf (5.00e-01 of the layer's largest value)\n"
        "verdict: differs\n");
}

TEST_CASE("JSON keeps the contract's names and has no infinity") {
  const Json json = verify_json(result_of_two_rows());
  CHECK(json["verdict"] == "differs");
  CHECK(json["max_abs"].is_null());
  CHECK(json["max_rel"] == 0.5);
  CHECK(json["witnesses"]["b"] == "keras");
  CHECK(json["layers"][0]["shape"] == Json({2, 6, 28, 28}));
  CHECK(json["layers"][1]["ties_out"] == false);
  CHECK(json["first_difference"]["cause"] == "flatten_order");
  CHECK(json["findings"] == Json::array());
}
