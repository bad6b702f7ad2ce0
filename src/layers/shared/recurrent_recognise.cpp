#include <algorithm>

#include "layers/shared/recurrent.h"

namespace tieout {

namespace {

using Tensors = std::vector<std::pair<std::string, Shape>>;

const Shape* shape_of(const Tensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &std::pair<std::string, Shape>::first);
  return found == tensors.end() ? nullptr : &found->second;
}

std::optional<FrameworkNode> recognise_torch(const RecurrentCell& cell, const Tensors& tensors) {
  const Shape* input = shape_of(tensors, "weight_ih_l0");
  const Shape* recurrent = shape_of(tensors, "weight_hh_l0");
  if (input == nullptr || recurrent == nullptr || input->size() != 2 || recurrent->size() != 2)
    return std::nullopt;
  const auto gates = static_cast<std::int64_t>(cell.gates);
  const Shape* projection = shape_of(tensors, "weight_hr_l0");
  const std::int64_t units =
      projection != nullptr && projection->size() == 2 ? projection->at(1) : recurrent->at(1);
  if (input->at(0) != gates * units || recurrent->at(0) != gates * units) return std::nullopt;
  std::int64_t levels = 1;
  while (shape_of(tensors, "weight_ih_l" + std::to_string(levels)) != nullptr) ++levels;
  FrameworkNode node;
  node.class_name = cell.torch_class;
  node.settings = {{"input_size", input->at(1)},
                   {"hidden_size", units},
                   {"num_layers", levels},
                   {"bias", shape_of(tensors, "bias_ih_l0") != nullptr},
                   {"bidirectional", shape_of(tensors, "weight_ih_l0_reverse") != nullptr},
                   {"proj_size", projection == nullptr ? 0 : projection->at(0)}};
  return node;
}

// (i, g u), (u, g u) and perhaps (g u), or (2, g u): a GRU with a bias for the input and one for the state.
std::optional<Json> recognise_keras(const RecurrentCell& cell, const Tensors& tensors) {
  if (tensors.size() < 2 || tensors.size() > 3) return std::nullopt;
  const Shape& input = tensors[0].second;
  const Shape& recurrent = tensors[1].second;
  if (input.size() != 2 || recurrent.size() != 2) return std::nullopt;
  const std::int64_t units = recurrent[0];
  const std::int64_t width = static_cast<std::int64_t>(cell.gates) * units;
  if (input[1] != width || recurrent[1] != width) return std::nullopt;
  Json config = {{"units", units}, {"use_bias", tensors.size() == 3}};
  if (tensors.size() == 3) {
    const bool two = cell.kind == "gru" && tensors[2].second == Shape{2, width};
    if (!two && tensors[2].second != Shape{width}) return std::nullopt;
    if (cell.kind == "gru") config["reset_after"] = two;
  }
  return config;
}

}  // namespace

std::optional<FrameworkNode> recognise_recurrent(const RecurrentCell& cell, Framework framework,
                                                 const Tensors& tensors) {
  if (framework == Framework::torch) return recognise_torch(cell, tensors);
  FrameworkNode node;
  if (const auto config = recognise_keras(cell, tensors)) {
    node.class_name = cell.keras_class;
    node.settings = *config;
    return node;
  }
  // Bidirectional: the same twice.
  if (tensors.size() % 2 != 0) return std::nullopt;
  const auto half = tensors.begin() + static_cast<std::ptrdiff_t>(tensors.size() / 2);
  const auto forward = recognise_keras(cell, {tensors.begin(), half});
  const auto backward = recognise_keras(cell, {half, tensors.end()});
  if (!forward || forward != backward) return std::nullopt;
  node.class_name = "Bidirectional";
  node.settings = {{"layer", {{"class_name", cell.keras_class}, {"config", *forward}}},
                   {"merge_mode", "concat"}};
  return node;
}

}  // namespace tieout
