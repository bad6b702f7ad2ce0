#include "layers/shared/spatial.h"

#include <algorithm>

#include "tieout/error.h"

namespace tieout {

std::vector<std::string> spatial_names(std::size_t rank) {
  if (rank == 1) return {"l"};
  if (rank == 2) return {"h", "w"};
  return {"d", "h", "w"};
}

std::vector<std::string> image_names(std::size_t rank) {
  std::vector<std::string> names{"n", "c"};
  std::ranges::copy(spatial_names(rank), std::back_inserter(names));
  return names;
}

std::vector<int> image_order(Lifter& lifter, std::size_t rank) {
  std::vector<int> order;
  if (lifter.is_keras() && lifter.settings().text("data_format", "channels_last") == "channels_last") {
    order = {0, static_cast<int>(rank) + 1};
    for (std::size_t k = 0; k < rank; ++k) order.push_back(static_cast<int>(k) + 1);
  } else {
    for (std::size_t k = 0; k < rank + 2; ++k) order.push_back(static_cast<int>(k));
  }
  lifter.roles(0, image_names(rank), order);
  return order;
}

LayoutNeed image_need(std::size_t rank, Framework target) {
  LayoutNeed need{LayoutNeed::Kind::canonical, {0}};
  for (std::size_t k = 0; k < rank; ++k) need.order.push_back(static_cast<int>(k) + 2);
  if (target == Framework::keras) {
    need.order.push_back(1);
  } else {
    need.order.insert(need.order.begin() + 1, 1);
  }
  return need;
}

Paddings same_padding(Lifter& lifter, const std::vector<int>& order, const std::vector<std::int64_t>& kernel,
                      const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& dilation) {
  Paddings paddings;
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    const std::int64_t reach = (kernel[k] - 1) * dilation[k];
    std::int64_t total = reach;
    if (strides[k] > 1) {
      const std::int64_t size = lifter.weights_only() ? 1 : lifter.size(0, order.at(k + 2));
      if (size == unknown) {
        lifter.refuse("padding \"same\" with stride " + std::to_string(strides[k]) +
                          " depends on the input's size, which is not known",
                      "give it with --input-shape");
      }
      total = std::max<std::int64_t>(
          ((size + strides[k] - 1) / strides[k] - 1) * strides[k] + reach + 1 - size, 0);
    }
    paddings.push_back({total / 2, total - total / 2});
  }
  return paddings;
}

std::int64_t window_count(std::int64_t size, const Padding& padding, std::int64_t kernel, std::int64_t stride,
                          std::int64_t dilation) {
  if (size == unknown) return unknown;
  const std::int64_t room = size + padding.low + padding.high - (kernel - 1) * dilation - 1;
  if (room < 0 || stride < 1) {
    throw malformed("a window of " + std::to_string(kernel) + " does not fit into an input of " +
                    std::to_string(size));
  }
  return room / stride + 1;
}

Json to_json(const Paddings& paddings) {
  Json list = Json::array();
  for (const auto& padding : paddings) list.push_back({padding.low, padding.high});
  return list;
}

Paddings paddings_from(const Json& settings) {
  Paddings paddings;
  for (const auto& pair : settings.at("padding")) {
    paddings.push_back({pair.at(0).get<std::int64_t>(), pair.at(1).get<std::int64_t>()});
  }
  return paddings;
}

namespace {

Json keras_sides(const Paddings& paddings, std::int64_t sign) {
  Json list = Json::array();
  for (const auto& p : paddings) {
    list.push_back({std::max<std::int64_t>(sign * p.low, 0), std::max<std::int64_t>(sign * p.high, 0)});
  }
  return paddings.size() == 1 ? list.at(0) : list;
}

}  // namespace

void add_zero_padding(Lowerer& lowerer, const Paddings& paddings, const std::string& helper) {
  const std::string digit = std::to_string(paddings.size());
  if (lowerer.to_torch()) {
    // torch lists the last axis first: (left, right, top, bottom).
    Json list = Json::array();
    for (std::size_t k = paddings.size(); k-- > 0;) {
      list.push_back(paddings[k].low);
      list.push_back(paddings[k].high);
    }
    lowerer.add("ZeroPad" + digit + "d", {{"padding", list}}, {}, helper);
    return;
  }
  const bool crops = std::ranges::any_of(paddings, [](const Padding& p) { return p.low < 0 || p.high < 0; });
  const bool pads = std::ranges::any_of(paddings, [](const Padding& p) { return p.low > 0 || p.high > 0; });
  if (crops) {
    lowerer.add("Cropping" + digit + "D", {{"cropping", keras_sides(paddings, -1)}}, {},
                pads ? (helper.empty() ? "crop" : helper + "_crop") : helper);
  }
  if (pads || !crops)
    lowerer.add("ZeroPadding" + digit + "D", {{"padding", keras_sides(paddings, 1)}}, {}, helper);
}

Mistake same_padding_mistake() {
  const auto mutate = [](Layer& layer, Framework framework, const std::vector<Axes>& inputs) {
    if (!layer.settings.at("padding").is_array()) return false;  // depends on sizes that nobody knows
    const auto kernel = layer.settings.at("kernel").get<std::vector<std::int64_t>>();
    const auto strides = layer.settings.at("strides").get<std::vector<std::int64_t>>();
    const auto paddings = paddings_from(layer.settings);
    Paddings other;
    for (std::size_t k = 0; k < kernel.size(); ++k) {
      const std::int64_t dilation =
          layer.settings.contains("dilation") ? layer.settings["dilation"][k].get<std::int64_t>() : 1;
      const auto place =
          layer.orders.at(0).empty() ? k + 2 : static_cast<std::size_t>(layer.orders[0].at(k + 2));
      const std::int64_t size = inputs.at(0).at(place).size;
      const std::int64_t reach = (kernel[k] - 1) * dilation;
      const std::int64_t windows = (size + strides[k] - 1) / strides[k];
      const std::int64_t total = std::max<std::int64_t>((windows - 1) * strides[k] + reach + 1 - size, 0);
      const Padding tensorflow{total / 2, total - total / 2};
      const Padding torch{reach / 2, reach / 2};
      if (size == unknown || paddings[k] != (framework == Framework::torch ? torch : tensorflow))
        return false;
      other.push_back(framework == Framework::torch ? tensorflow : torch);
      // Another number of windows would have been noticed.
      if (window_count(size, other.back(), kernel[k], strides[k], dilation) !=
          window_count(size, paddings[k], kernel[k], strides[k], dilation)) {
        return false;
      }
    }
    if (other == paddings) return false;
    layer.settings["padding"] = to_json(other);
    return true;
  };
  return {"padding_side",
          "the padding is as wide on both sides where TensorFlow's \"same\" has the extra cell at the end, "
          "or the reverse",
          mutate};
}

}  // namespace tieout
