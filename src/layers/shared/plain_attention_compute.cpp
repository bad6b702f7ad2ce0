#include <algorithm>
#include <cmath>
#include <string>

#include "layers/shared/plain_attention.h"

namespace tieout {

namespace {

// What Keras takes from the score of a step that does not count, and does not put in its place: where no step
// counts, they are weighted by their scores again, or by what rounding leaves of them.
constexpr double far_below = 1e9;

double score_of(const Evaluation& e, const std::string& form, const double* query, const double* key) {
  const Array& scale = e.parameter("scale");
  const auto count = static_cast<std::size_t>(e.inputs[0]->size(2));
  double sum = 0;
  for (std::size_t f = 0; f < count; ++f) {
    const double factor = scale.data[form == "additive" ? f : 0];
    if (form == "dot") sum += factor * query[f] * key[f];
    if (form == "concat") sum += std::tanh(factor * (query[f] + key[f]));
    if (form == "additive") sum += factor * std::tanh(query[f] + key[f]);
  }
  return form == "concat" ? sum * e.parameter("weight").data[0] : sum;
}

void softmax(double* row, std::int64_t count) {
  const double top = *std::max_element(row, row + count);
  double sum = 0;
  for (std::int64_t s = 0; s < count; ++s) sum += row[s] = std::exp(row[s] - top);
  for (std::int64_t s = 0; s < count; ++s) row[s] /= sum;
}

// The mask n t of the query or n s of the value, if there is one.
const Array* mask_of(const Evaluation& e, const std::string& name) {
  const auto masks = e.layer.settings.at("masks").get<std::vector<std::string>>();
  const auto place = 3 + static_cast<std::size_t>(std::ranges::find(masks, name) - masks.begin());
  // A layer that is tried with another's settings may lack the input.
  return place < std::min(3 + masks.size(), e.inputs.size()) ? e.inputs[place] : nullptr;
}

bool shows(const Array* mask, std::int64_t step) {
  return mask == nullptr || mask->data[static_cast<std::size_t>(step)] != 0;
}

}  // namespace

std::vector<Array> compute_plain_attention(const Evaluation& e) {
  const Array& query = *e.inputs[0];
  const Array& key = *e.inputs[1];
  const Array& value = *e.inputs[2];
  const auto form = e.layer.settings.at("score").get<std::string>();
  const Array* query_mask = mask_of(e, "query");
  const Array* value_mask = mask_of(e, "value");
  const std::int64_t features = query.size(2);
  const std::int64_t steps = key.size(1);
  const std::int64_t width = value.size(2);
  Array y({query.size(0), query.size(1), width});
  Array weights({query.size(0), query.size(1), steps});
  for (std::int64_t row = 0; steps > 0 && row < query.size(0) * query.size(1); ++row) {
    const std::int64_t n = row / query.size(1);
    double* scores = weights.data.data() + row * steps;
    for (std::int64_t s = 0; s < steps; ++s) {
      scores[s] =
          score_of(e, form, query.data.data() + row * features, key.data.data() + (n * steps + s) * features);
      const bool later = e.flag("causal") && s > row % query.size(1);
      if (later || !shows(value_mask, n * steps + s)) scores[s] -= far_below;
    }
    softmax(scores, steps);
    if (!shows(query_mask, row)) continue;
    double* into = y.data.data() + row * width;
    for (std::int64_t s = 0; s < steps; ++s) {
      const double* from = value.data.data() + (n * steps + s) * width;
      for (std::int64_t v = 0; v < width; ++v) into[v] += scores[s] * from[v];
    }
  }
  if (!e.flag("scores")) return {std::move(y)};
  return {std::move(y), std::move(weights)};
}

}  // namespace tieout
