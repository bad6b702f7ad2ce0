#include "convert/match.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>

#include "layers/layer_kind.h"

namespace tieout {

namespace {

// Layers in the order of the data: depth first from each output, inputs in the order of the call. Depends on
// the graph only, not on the order in which a file lists its layers.
std::vector<int> data_order(const Model& model) {
  std::vector<int> order;
  std::set<int> seen;
  if (!model.has_architecture) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) order.push_back(static_cast<int>(i));
    return order;
  }
  std::map<int, int> producer;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    for (const int value : model.layers[i].outputs) producer[value] = static_cast<int>(i);
  }
  struct Visit {
    int layer;
    std::size_t next_input;
  };
  for (const int output : model.outputs) {
    std::vector<Visit> stack;
    const auto enter = [&](int value) {
      const auto made = producer.find(value);
      if (made != producer.end() && seen.insert(made->second).second) stack.push_back({made->second, 0});
    };
    enter(output);
    while (!stack.empty()) {
      Visit& top = stack.back();
      const Layer& layer = model.layers[static_cast<std::size_t>(top.layer)];
      if (top.next_input < layer.inputs.size()) {
        enter(layer.inputs[top.next_input++]);
      } else {
        order.push_back(top.layer);
        stack.pop_back();
      }
    }
  }
  return order;
}

bool stores_parameters(const Layer& layer) {
  return std::ranges::any_of(layer.parameters, [](const Parameter& p) { return !p.terms.empty(); });
}

// Whether the values can be the same: sizes that both sides know are the same, in some order.
bool sizes_fit(const Model& a, const Model& b, int from, int to) {
  Shape left = shape_of(a.values[static_cast<std::size_t>(from)].axes);
  Shape right = shape_of(b.values[static_cast<std::size_t>(to)].axes);
  std::ranges::sort(left);
  std::ranges::sort(right);
  const auto open = [](const Shape& shape) {
    return std::ranges::count(shape, unknown) > 1;
  };  // more than the batch
  return left.empty() || right.empty() || open(left) || open(right) || left == right;
}

bool may_be_equal(const Model& a, const Model& b, const Layer& from, const Layer& to) {
  return from.outputs.empty() || to.outputs.empty() || sizes_fit(a, b, from.outputs[0], to.outputs[0]);
}

// A layer's name in the letters that both frameworks take.
std::string plain_name(const std::string& name) {
  std::string plain = name.starts_with("layer_") ? name.substr(6) : name;
  std::ranges::replace_if(
      plain, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return plain;
}

std::vector<std::string> plain_names(const Model& model, const std::vector<int>& layers) {
  std::vector<std::string> names;
  for (const int index : layers)
    names.push_back(plain_name(model.layers[static_cast<std::size_t>(index)].name));
  return names;
}

// Longest common subsequence of kinds over two stretches without parameters; pairs in order. Of several as
// long as that, the one with the most pairs of one name: a layer that the other framework composes of several
// may hold kinds that the layers around it have too.
void align_plain(const Model& a, const Model& b, const std::vector<int>& left, const std::vector<int>& right,
                 std::vector<Pair>& pairs) {
  const std::size_t n = left.size();
  const std::size_t m = right.size();
  const auto names_a = plain_names(a, left);
  const auto names_b = plain_names(b, right);
  // What a pair counts, 0 where there can be none: so much that no number of names outweighs it.
  const auto worth = [&](std::size_t i, std::size_t j) {
    const Layer& from = a.layers[static_cast<std::size_t>(left[i])];
    const Layer& to = b.layers[static_cast<std::size_t>(right[j])];
    if (from.kind != to.kind || kind_named(from.kind).rearranges || !may_be_equal(a, b, from, to)) return 0;
    return static_cast<int>(n + m) + (names_a[i] == names_b[j] ? 1 : 0);
  };
  std::vector<std::vector<int>> best(n + 1, std::vector<int>(m + 1, 0));
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      const int pair = worth(i, j);
      best[i][j] = std::max({pair > 0 ? best[i + 1][j + 1] + pair : 0, best[i + 1][j], best[i][j + 1]});
    }
  }
  for (std::size_t i = 0, j = 0; i < n && j < m;) {
    const int pair = worth(i, j);
    if (pair > 0 && best[i][j] == best[i + 1][j + 1] + pair) {
      pairs.push_back({left[i++], right[j++]});
    } else if (best[i + 1][j] >= best[i][j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
}

// A layer with parameters and the plain layers in front of it.
struct Stretch {
  std::vector<int> plain;
  int stored = -1;  // -1: what follows the last one
};

std::vector<Stretch> stretches(const Model& model) {
  std::vector<Stretch> all(1);
  for (const int index : data_order(model)) {
    if (stores_parameters(model.layers[static_cast<std::size_t>(index)])) {
      all.back().stored = index;
      all.emplace_back();
    } else {
      all.back().plain.push_back(index);
    }
  }
  return all;
}

std::string names(const Model& model, const std::vector<Stretch>& all, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < all.size(); ++i) {
    if (all[i].stored < 0) continue;
    const Layer& layer = model.layers[static_cast<std::size_t>(all[i].stored)];
    text += (text.empty() ? "" : ", ") + layer.name + " (" + layer.kind + ")";
  }
  return text.empty() ? "none" : text;
}

// The first place where the two sequences of layers with parameters part, as a finding with both remainders.
void report_misfit(Matching& matching, const Model& a, const Model& b, const std::vector<Stretch>& left,
                   const std::vector<Stretch>& right, std::size_t at) {
  matching.findings.push_back(
      {Severity::forbids, "",
       "the layers with parameters do not correspond: left over in " + a.file + ": " + names(a, left, at) +
           "; in " + (b.file.empty() ? "the target" : b.file) + ": " + names(b, right, at),
       "give a template with the same layers in the same order, or name the pairs in a map (--map)"});
  for (std::size_t i = at; i < left.size(); ++i) {
    if (left[i].stored >= 0) matching.unmatched_a.push_back(left[i].stored);
  }
  for (std::size_t i = at; i < right.size(); ++i) {
    if (right[i].stored >= 0) matching.unmatched_b.push_back(right[i].stored);
  }
}

bool same_axes(const Model& a, const Model& b, int value_a, int value_b) {
  const auto sorted = [](const Value& value) {
    std::vector<std::string> all;
    for (const auto& axis : value.axes) all.push_back(axis.name);
    std::ranges::sort(all);
    return all;
  };
  return sorted(a.values[static_cast<std::size_t>(value_a)]) ==
         sorted(b.values[static_cast<std::size_t>(value_b)]);
}

// The value, and what layers without a partner make of it one after the other: the crop that ends a
// transposed convolution on one side is a layer of its own on the other.
std::vector<int> with_helpers(const Model& model, int value, const std::set<int>& matched) {
  std::vector<int> all{value};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    const bool is_helper = layer.inputs == std::vector<int>{all.back()} && layer.outputs.size() == 1 &&
                           layer.parameters.empty() && !matched.contains(static_cast<int>(i));
    if (is_helper) all.push_back(layer.outputs[0]);
  }
  return all;
}

}  // namespace

void pair_values(Matching& matching, const Model& a, const Model& b) {
  std::set<int> matched_a;
  std::set<int> matched_b;
  for (const auto& pair : matching.layers) {
    matched_a.insert(pair.a);
    matched_b.insert(pair.b);
  }
  for (const auto& pair : matching.layers) {
    const auto& left = a.layers[static_cast<std::size_t>(pair.a)].outputs;
    const auto& right = b.layers[static_cast<std::size_t>(pair.b)].outputs;
    if (left.empty() || right.empty()) continue;
    const auto equal = [&](int from, int to) {
      return same_axes(a, b, from, to) && sizes_fit(a, b, from, to);
    };
    const auto in_a = with_helpers(a, left[0], matched_a);
    const auto in_b = with_helpers(b, right[0], matched_b);
    // The first of one side's that is as large as the other side's layer itself.
    for (std::size_t i = 0; i < std::max(in_a.size(), in_b.size()); ++i) {
      const bool is_b = i < in_b.size() && equal(left[0], in_b[i]);
      const bool is_a = !is_b && i < in_a.size() && equal(in_a[i], right[0]);
      if (is_a || is_b) {
        matching.values.push_back({is_a ? in_a[i] : left[0], is_b ? in_b[i] : right[0]});
        break;
      }
    }
  }
  for (std::size_t i = 0; i < std::min(a.outputs.size(), b.outputs.size()); ++i) {
    const Pair pair{a.outputs[i], b.outputs[i]};
    const bool there =
        std::ranges::any_of(matching.values, [&](const Pair& p) { return p.a == pair.a && p.b == pair.b; });
    if (!there) matching.values.push_back(pair);
  }
}

Matching match(const Model& a, const Model& b) {
  Matching matching;
  const auto left = stretches(a);
  const auto right = stretches(b);
  const std::size_t common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    const bool left_stored = left[i].stored >= 0;
    const bool right_stored = right[i].stored >= 0;
    const bool fits = left_stored == right_stored &&
                      (!left_stored || a.layers[static_cast<std::size_t>(left[i].stored)].kind ==
                                           b.layers[static_cast<std::size_t>(right[i].stored)].kind);
    if (!fits) {
      report_misfit(matching, a, b, left, right, i);
      break;
    }
    align_plain(a, b, left[i].plain, right[i].plain, matching.layers);
    if (left_stored) matching.layers.push_back({left[i].stored, right[i].stored});
  }
  if (a.has_architecture && b.has_architecture && a.outputs.size() != b.outputs.size()) {
    matching.findings.push_back({Severity::warning, "",
                                 "the models have " + std::to_string(a.outputs.size()) + " and " +
                                     std::to_string(b.outputs.size()) + " outputs",
                                 "compare models with the same outputs"});
  }
  if (a.has_architecture && b.has_architecture) pair_values(matching, a, b);
  return matching;
}

}  // namespace tieout
