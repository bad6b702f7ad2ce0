#include <algorithm>
#include <utility>

#include "layers/shared/conv_lstm.h"
#include "layers/shared/convolution_compute.h"
#include "layers/shared/recurrent_functions.h"
#include "layers/shared/spatial.h"

namespace tieout {

namespace {

using Sizes = std::vector<std::int64_t>;

Array convolved(const Array& x, const Array& kernel, const Array* bias, const Json& settings) {
  Layer layer;
  layer.settings = settings;
  layer.settings["padding_mode"] = "zeros";
  layer.settings["groups"] = 1;
  // g and o are one axis of a convolution.
  Array rows = kernel;
  rows.shape.erase(rows.shape.begin());
  rows.shape[0] = kernel.shape[0] * kernel.shape[1];
  layer.settings["filters"] = rows.shape[0];
  Array offsets(Shape{rows.shape[0]});
  if (bias != nullptr) offsets.data = bias->data;
  const std::map<std::string, Array> parameters{{"kernel", std::move(rows)}, {"bias", std::move(offsets)}};
  const Evaluation evaluation{layer, {&x}, parameters, {}};
  return compute_convolution(evaluation).at(0);
}

Json recurrent_settings(const Json& settings) {
  const Sizes kernel = settings["kernel"].get<Sizes>();
  Paddings paddings;
  for (const std::int64_t k : kernel) paddings.push_back({(k - 1) / 2, k / 2});
  const Sizes ones(kernel.size(), 1);
  return {{"kernel", kernel}, {"strides", ones}, {"dilation", ones}, {"padding", to_json(paddings)}};
}

// Step t of an array n t rest, as n rest.
Array step_of(const Array& x, std::int64_t t) {
  Shape shape = x.shape;
  shape.erase(shape.begin() + 1);
  Array step(shape);
  const std::size_t block = x.shape[0] == 0 ? 0 : step.count() / static_cast<std::size_t>(x.shape[0]);
  for (std::int64_t n = 0; n < x.shape[0]; ++n) {
    std::copy_n(x.data.begin() + (n * x.shape[1] + t) * static_cast<std::int64_t>(block), block,
                step.data.begin() + n * static_cast<std::int64_t>(block));
  }
  return step;
}

struct States {
  Array h;
  Array c;
  Array y;
};

// One step; where the mask of a sequence is 0 its states stay, and its y is the one before or 0.
void advance(const Evaluation& e, const Array& gates, std::int64_t t, States& s) {
  const auto activation = recurrent_function(e.layer.settings["activation"].get<std::string>()).compute;
  const auto recurrent =
      recurrent_function(e.layer.settings["recurrent_activation"].get<std::string>()).compute;
  const Array* mask = e.flag("mask") ? e.inputs.at(1) : nullptr;
  const auto batch = static_cast<std::size_t>(s.h.shape[0]);
  const std::size_t block = batch == 0 ? 0 : s.h.count() / batch;
  for (std::size_t n = 0; n < batch; ++n) {
    if (mask != nullptr &&
        mask->data[n * static_cast<std::size_t>(mask->shape[1]) + static_cast<std::size_t>(t)] == 0) {
      if (e.flag("zero_masked"))
        std::fill_n(s.y.data.begin() + static_cast<std::ptrdiff_t>(n * block), block, 0.0);
      continue;
    }
    for (std::size_t k = 0; k < block; ++k) {
      const double* gate = gates.data.data() + 4 * n * block + k;
      const std::size_t at = n * block + k;
      s.c.data[at] = recurrent(gate[block]) * s.c.data[at] + recurrent(gate[0]) * activation(gate[2 * block]);
      s.h.data[at] = recurrent(gate[3 * block]) * activation(s.c.data[at]);
      s.y.data[at] = s.h.data[at];
    }
  }
}

}  // namespace

std::vector<int> conv_lstm_order(std::size_t rank, bool channels_last, bool with_time) {
  const int first = with_time ? 2 : 1;
  const int spatial = static_cast<int>(rank);
  std::vector<int> order{0};
  if (with_time) order.push_back(1);
  order.push_back(channels_last ? first + spatial : first);
  for (int k = 0; k < spatial; ++k) order.push_back(first + k + (channels_last ? 0 : 1));
  return order;
}

std::vector<int> conv_lstm_state_order(const Layer& layer) {
  const std::size_t rank = layer.settings["kernel"].size();
  const bool channels_last = !layer.orders.empty() && layer.orders[0].size() > 2 && layer.orders[0][2] != 2;
  return conv_lstm_order(rank, channels_last, false);
}

std::vector<Array> compute_conv_lstm(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Json recurrent = recurrent_settings(e.layer.settings);
  const std::int64_t steps = x.size(1);
  const bool backward = e.layer.settings["direction"] == "backward";
  const bool last = e.layer.settings["returns"] == "last";
  States s;
  Array y;
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = backward ? steps - 1 - k : k;
    Array gates = convolved(step_of(x, t), e.parameter("kernel"), &e.parameter("bias"), e.layer.settings);
    if (k == 0) {
      Shape shape = gates.shape;
      shape[1] /= 4;
      const std::size_t first = e.flag("mask") ? 2 : 1;
      s = {Array(shape), Array(shape), Array(shape)};
      if (e.flag("initial")) {
        s.h = *e.inputs.at(first);
        s.c = *e.inputs.at(first + 1);
      }
      shape.insert(shape.begin() + 1, steps);
      y = Array(shape);
    }
    const Array from_h = convolved(s.h, e.parameter("recurrent_kernel"), nullptr, recurrent);
    for (std::size_t i = 0; i < gates.count(); ++i) gates.data[i] += from_h.data[i];
    advance(e, gates, t, s);
    const auto batch = static_cast<std::size_t>(s.y.shape[0]);
    const std::size_t block = batch == 0 ? 0 : s.y.count() / batch;
    for (std::size_t n = 0; n < batch; ++n) {
      std::copy_n(
          s.y.data.begin() + static_cast<std::ptrdiff_t>(n * block), block,
          y.data.begin() + static_cast<std::ptrdiff_t>(
                               (n * static_cast<std::size_t>(steps) + static_cast<std::size_t>(k)) * block));
    }
  }
  std::vector<Array> outputs{last ? s.y : std::move(y)};
  if (!e.flag("states")) return outputs;
  const std::vector<int> order = conv_lstm_state_order(e.layer);
  std::vector<int> inverse(order.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    inverse[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  outputs.push_back(permuted(s.h, inverse));
  outputs.push_back(permuted(s.c, inverse));
  return outputs;
}

}  // namespace tieout
