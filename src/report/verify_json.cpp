#include "report/verify_json.h"

#include <cmath>

#include "convert/plan.h"

namespace tieout {

namespace {

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json row_json(const VerifyRow& row) {
  return {{"a", row.a},
          {"b", row.b},
          {"kind_a", row.kind_a},
          {"kind_b", row.kind_b},
          {"shape", row.shape},
          {"max_abs", number(row.max_abs)},
          {"max_rel", number(row.max_rel)},
          {"tolerance", number(row.tolerance)},
          {"ties_out", row.ties_out},
          {"output", row.is_output},
          {"note", row.note}};
}

}  // namespace

Json verify_json(const VerifyResult& result) {
  Json json = {{"verdict", to_string(result.verdict)},
               {"max_abs", number(result.max_abs)},
               {"max_rel", number(result.max_rel)},
               {"witnesses", {{"a", result.witness_a}, {"b", result.witness_b}}},
               {"layers", Json::array()},
               {"first_difference", nullptr},
               {"findings", to_json(result.findings)}};
  for (const auto& row : result.rows) json["layers"].push_back(row_json(row));
  if (result.first_difference) {
    const FirstDifference& first = *result.first_difference;
    json["first_difference"] = {
        {"a", first.a}, {"b", first.b}, {"cause", first.cause}, {"message", first.message}};
  }
  return json;
}

}  // namespace tieout
