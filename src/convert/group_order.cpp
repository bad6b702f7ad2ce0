#include "convert/group_order.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tieout {

namespace {

// A name as what it counts and the numbers in it: "layers.10.fc" is ("layers.#.fc", {10}). Numbers are
// compared by length and then as text, so that none is too long.
struct Counted {
  std::string what;
  std::vector<std::pair<std::size_t, std::string>> numbers;
};

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

Counted counted(const std::string& name) {
  Counted result;
  for (std::size_t i = 0; i < name.size();) {
    if (!is_digit(name[i])) {
      result.what += name[i++];
      continue;
    }
    std::string number;
    while (i < name.size() && is_digit(name[i])) number += name[i++];
    number.erase(0, std::min(number.find_first_not_of('0'), number.size() - 1));
    result.what += '#';
    result.numbers.emplace_back(number.size(), number);
  }
  return result;
}

// Keras counts the layers of a class: "dense", "dense_1"; a digit of the class ("conv2d") is none of the
// count.
Counted counted_class(const FrameworkNode& node) {
  // layers/NAME/vars/0 has the name behind "layers", a subclassed model's NAME/vars/0 in front.
  std::string path = node.parameters.front().tensor;
  for (const char* root : {"layers/", "_layer_checkpoint_dependencies/"}) {
    if (path.starts_with(root)) path.erase(0, std::string(root).size());
  }
  const std::string name = path.substr(0, path.find('/'));
  const std::size_t bar = name.rfind('_');
  const bool has_count =
      bar != std::string::npos && bar + 1 < name.size() &&
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(bar) + 1, name.end(), is_digit);
  if (!has_count) return {name, {{1, "0"}}};
  return {name.substr(0, bar), counted(name.substr(bar + 1)).numbers};
}

}  // namespace

void order_groups(FrameworkModel& bare) {
  if (bare.order == TensorOrder::as_defined) return;
  const bool by_class = bare.order == TensorOrder::within_class;
  std::map<std::string, std::vector<std::size_t>> places;
  std::vector<Counted> names(bare.nodes.size());
  for (std::size_t i = 0; i < bare.nodes.size(); ++i) {
    if (bare.nodes[i].parameters.empty()) continue;
    names[i] = by_class ? counted_class(bare.nodes[i]) : counted(bare.nodes[i].name);
    places[names[i].what].push_back(i);
  }
  std::vector<FrameworkNode> ordered = bare.nodes;
  for (const auto& [what, own] : places) {
    std::vector<std::size_t> sorted = own;
    std::ranges::stable_sort(sorted, {}, [&](std::size_t i) { return names[i].numbers; });
    for (std::size_t k = 0; k < own.size(); ++k) ordered[own[k]] = std::move(bare.nodes[sorted[k]]);
  }
  bare.nodes = std::move(ordered);
  if (bare.framework != Framework::torch) return;
  for (auto& node : bare.nodes) {
    // As modules register them; as text, "bias" comes first.
    std::stable_partition(node.parameters.begin(), node.parameters.end(), [](const NodeParameter& parameter) {
      return parameter.name.starts_with("weight");
    });
  }
}

Findings unknown_order(const FrameworkModel& bare) {
  if (bare.order != TensorOrder::by_name) return {};
  // Groups by what they hold.
  std::map<std::set<std::pair<std::string, Shape>>, std::vector<std::string>> alike;
  for (const auto& node : bare.nodes) {
    std::set<std::pair<std::string, Shape>> tensors;
    for (const auto& parameter : node.parameters) {
      const LazyTensor* tensor = bare.find_tensor(parameter.tensor);
      if (tensor != nullptr) tensors.emplace(parameter.name, tensor->shape);
    }
    if (!tensors.empty()) alike[tensors].push_back(node.name);
  }
  Findings findings;
  for (const auto& [tensors, names] : alike) {
    std::set<std::string> sorts;
    std::string list;
    for (const auto& name : names) {
      sorts.insert(counted(name).what);
      list += (list.empty() ? "" : ", ") + name;
    }
    if (sorts.size() < 2) continue;
    findings.push_back(
        {Severity::forbids, "",
         bare.file + " keeps no order of its layers, and these have tensors of the same shapes: " + list,
         bare.framework == Framework::torch
             ? "give the model as a .pt file, whose state_dict is in the order of the layers"
             : "name the pairs with --map, or give a checkpoint that tf.train.Checkpoint wrote"});
  }
  return findings;
}

}  // namespace tieout
