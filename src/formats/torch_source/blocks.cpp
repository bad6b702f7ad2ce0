#include "formats/torch_source/blocks.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "formats/torch_source/block_names.h"
#include "formats/torch_source/forward_names.h"
#include "formats/torch_source/node_text.h"
#include "formats/torch_source/python_text.h"
#include "formats/torch_source/torch_source.h"

namespace tieout::torch_source {

namespace {

constexpr std::size_t shortest = 4;  // nodes of a block
constexpr std::size_t longest = 64;
constexpr std::size_t most_variables = 8;   // more would be harder to read than the layers themselves
constexpr std::size_t most_nodes = 20'000;  // the search takes longest * most_nodes steps
constexpr std::size_t most_tries = 12;      // see best_choice

// The parts of the model that are wired alike: where they begin, and their length.
struct Candidate {
  std::size_t length = 0;
  std::vector<std::string> ends;
  std::vector<std::size_t> firsts;
  std::vector<std::string> names;  // one for each
};

// What a convolution's constructor takes for an argument that is not given (torch/nn/modules/conv.py). With
// these, one that has a stride and one that has none are alike.
std::string default_of(const FrameworkNode& node, const std::string& argument) {
  if (!node.class_name.starts_with("Conv")) return "";
  if (argument == "stride" || argument == "dilation" || argument == "groups") return "1";
  if (argument == "padding") return "0";
  return argument == "bias" ? "True" : "";
}

// What a node is in a block that begins at `first`; `entry` stands for the value that comes in. Nothing where
// it takes another value from outside.
std::optional<std::string> signature(const FrameworkNode& node, std::size_t index, std::size_t first,
                                     std::optional<ValueRef>& entry) {
  std::string text = node.class_name + '\n' + node.call + '\n' + node.definition + '\n';
  for (const auto& [name, value] : is_function(node) ? Arguments() : arguments_of(node)) {
    if (default_of(node, name).empty()) text += name + ',';
  }
  for (const NodeInput& input : node.inputs) {
    const ValueRef& value = input.value;
    text += '\n' + input.keyword + ':';
    if (value.node >= static_cast<int>(first)) {
      text += std::to_string(static_cast<int>(index) - value.node) + '.' + std::to_string(value.output);
    } else if (!entry || *entry == value) {
      entry = value;
      text += "entry";
    } else {
      return std::nullopt;
    }
  }
  return text;
}

class Search {
 public:
  explicit Search(const FrameworkModel& model)
      : model_(model), last_uses_(find_last_uses(model).nodes), suffixes_(find_suffixes(model)) {
    std::map<std::string, int> calls;
    for (const FrameworkNode& node : model.nodes) ++calls[torch_attribute_name(node.name)];
    for (const FrameworkNode& node : model.nodes) {
      const std::string attribute = torch_attribute_name(node.name);
      fits_.push_back(!node.inputs.empty() && (is_function(node) || calls[attribute] == 1));
      attributes_.push_back(is_function(node) ? "" : attribute);
    }
  }

  std::vector<Candidate> candidates() {
    for (std::size_t first = 0; first < model_.nodes.size(); ++first) grow(first);
    std::map<std::pair<int, std::vector<std::string>>, Candidate> named;
    for (const auto& [shape, found] : alike_) {
      if (found.firsts.size() < 2) continue;
      for (const std::size_t first : found.firsts) {
        const BlockNames names = block_names(attributes_, first, found.length);
        if (names.name.empty()) continue;
        Candidate& candidate = named[{shape, names.ends}];
        candidate.length = found.length;
        candidate.ends = names.ends;
        candidate.firsts.push_back(first);
        candidate.names.push_back(names.name);
      }
    }
    std::vector<Candidate> all;
    for (auto& [key, candidate] : named) {
      if (candidate.firsts.size() > 1) all.push_back(std::move(candidate));
    }
    return all;
  }

 private:
  // The parts that begin at `first`.
  void grow(std::size_t first) {
    std::optional<ValueRef> entry;
    int shape = 0;
    int needed_until = 0;
    for (std::size_t i = first; i < std::min(model_.nodes.size(), first + longest) && fits_[i]; ++i) {
      const auto text = signature(model_.nodes[i], i, first, entry);
      if (!text) return;
      shape = shapes_.try_emplace({shape, *text}, static_cast<int>(shapes_.size()) + 1).first->second;
      const std::size_t length = i - first + 1;
      if (length >= shortest && needed_until <= static_cast<int>(i) && entry && suffixes_[i].empty()) {
        alike_[shape].length = length;
        alike_[shape].firsts.push_back(first);
      }
      needed_until = std::max(needed_until, last_uses_[i]);
    }
  }

  struct Alike {
    std::size_t length = 0;
    std::vector<std::size_t> firsts;
  };
  const FrameworkModel& model_;
  std::vector<int> last_uses_;
  Suffixes suffixes_;
  std::vector<bool> fits_;
  std::vector<std::string> attributes_;
  std::map<std::pair<int, std::string>, int> shapes_;  // a shape and one more node: another shape
  std::map<int, Alike> alike_;
};

// The candidate's repeats that overlap neither each other nor what is taken.
std::vector<std::size_t> free_repeats(const Candidate& candidate, const std::vector<bool>& taken) {
  std::vector<std::size_t> repeats;
  std::size_t free_from = 0;
  for (std::size_t r = 0; r < candidate.firsts.size(); ++r) {
    const std::size_t first = candidate.firsts[r];
    const auto begin = taken.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(candidate.length);
    if (first < free_from || std::find(begin, end, true) != end) continue;
    repeats.push_back(r);
    free_from = first + candidate.length;
  }
  return repeats;
}

// About how many lines fewer: a layer has three, a function one; a repeat keeps two, and the two methods are
// new.
int lines_saved(const Candidate& candidate, std::size_t repeats) {
  int lines = 0;
  for (const std::string& end : candidate.ends) lines += end.empty() ? 1 : 3;
  const int count = static_cast<int>(repeats);
  return (count - 1) * lines - 2 * count - 6;
}

struct Choice {
  std::vector<Candidate> chosen;
  int saved = 0;
};

void take(Choice& choice, std::vector<bool>& taken, const Candidate& candidate) {
  Candidate made{candidate.length, candidate.ends, {}, {}};
  for (const std::size_t r : free_repeats(candidate, taken)) {
    made.firsts.push_back(candidate.firsts[r]);
    made.names.push_back(candidate.names[r]);
    std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(candidate.firsts[r]), made.length, true);
  }
  choice.saved += lines_saved(made, made.firsts.size());
  choice.chosen.push_back(std::move(made));
}

// Those that save something given what is taken, the best first.
std::vector<const Candidate*> ranked(const std::vector<const Candidate*>& candidates,
                                     const std::vector<bool>& taken) {
  std::vector<std::pair<int, const Candidate*>> saving;
  for (const Candidate* candidate : candidates) {
    const std::size_t repeats = free_repeats(*candidate, taken).size();
    const int saved = repeats < 2 ? 0 : lines_saved(*candidate, repeats);
    if (saved > 0) saving.emplace_back(saved, candidate);
  }
  std::ranges::stable_sort(saving, std::greater<>(), &std::pair<int, const Candidate*>::first);
  std::vector<const Candidate*> sorted;
  for (const auto& [saved, candidate] : saving) sorted.push_back(candidate);
  return sorted;
}

// The greatest saving first is not always best: three blocks in each of two stages can look like one long
// block that comes twice. So each of the best few is tried as the first.
Choice best_choice(const std::vector<Candidate>& candidates, std::size_t nodes) {
  std::vector<const Candidate*> all;
  for (const Candidate& candidate : candidates) all.push_back(&candidate);
  Choice best;
  const auto starts = ranked(all, std::vector<bool>(nodes, false));
  for (std::size_t i = 0; i < std::min(starts.size(), most_tries); ++i) {
    Choice choice;
    std::vector<bool> taken(nodes, false);
    take(choice, taken, *starts[i]);
    auto next = starts;
    while (!(next = ranked(next, taken)).empty()) take(choice, taken, *next.front());
    if (choice.saved > best.saved) best = std::move(choice);
  }
  return best;
}

// The default, in the form in which another node gives the argument: "1" like "(2, 2)" is "(1, 1)".
std::string default_like(const FrameworkNode& node, const std::string& argument, const std::string& like) {
  std::string value = default_of(node, argument);
  if (!like.starts_with('(')) return value;
  std::string text = "(" + value;
  for (auto commas = std::ranges::count(like, ','); commas > 0; --commas) text += ", " + value;
  return text + ")";
}

std::string find_argument(const Arguments& arguments, const std::string& name) {
  const auto found = std::ranges::find(arguments, name, &Arguments::value_type::first);
  return found == arguments.end() ? "" : found->second;
}

// Node k's arguments with the values that they have in each repeat.
std::vector<std::pair<std::string, std::vector<std::string>>> values_of(const FrameworkModel& model,
                                                                        const Block& block, std::size_t k) {
  std::vector<Arguments> all;
  Arguments given;  // with one of the values
  for (const BlockRepeat& repeat : block.repeats) {
    all.push_back(arguments_of(model.nodes[repeat.first + k]));
    for (const auto& [name, value] : all.back()) {
      if (find_argument(given, name).empty()) given.emplace_back(name, value);
    }
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> values;
  for (const auto& [name, like] : given) {
    values.emplace_back(name, std::vector<std::string>{});
    for (const Arguments& arguments : all) {
      const std::string value = find_argument(arguments, name);
      values.back().second.push_back(
          value.empty() ? default_like(model.nodes[block.repeats.front().first + k], name, like) : value);
    }
  }
  return values;
}

// The settings that differ between repeats become variables; two that always agree are one.
void find_variables(const FrameworkModel& model, Block& block) {
  std::map<std::vector<std::string>, std::string> known;
  std::set<std::string> taken{"self", "name", "layers", "layer", "key", "torch", "nn", "F", "math"};
  block.arguments.resize(block.length);
  for (std::size_t k = 0; k < block.length; ++k) {
    if (is_function(model.nodes[block.repeats.front().first + k])) continue;
    for (const auto& [name, values] : values_of(model, block, k)) {
      std::string text = values.front();
      if (std::ranges::adjacent_find(values, std::not_equal_to<>()) != values.end()) {
        std::string& variable = known[values];
        if (variable.empty()) {
          variable = unique(identifier(name), taken);
          block.variables.push_back(variable);
          for (std::size_t r = 0; r < values.size(); ++r) block.repeats[r].values.push_back(values[r]);
        }
        text = variable;
      }
      block.arguments[k].emplace_back(name, text);
    }
  }
}

Block make_block(const FrameworkModel& model, const Candidate& candidate) {
  Block block;
  block.length = candidate.length;
  block.ends = candidate.ends;
  for (std::size_t r = 0; r < candidate.firsts.size(); ++r)
    block.repeats.push_back({candidate.firsts[r], candidate.names[r], {}});
  find_variables(model, block);
  return block;
}

}  // namespace

std::vector<Block> find_blocks(const FrameworkModel& model) {
  if (model.nodes.size() > most_nodes) return {};
  std::vector<Candidate> candidates = Search(model).candidates();
  std::erase_if(candidates, [&model](const Candidate& candidate) {
    return make_block(model, candidate).variables.size() > most_variables;
  });
  std::vector<Block> blocks;
  std::set<std::string> methods;
  for (const Candidate& chosen : best_choice(candidates, model.nodes.size()).chosen)
    blocks.push_back(make_block(model, chosen));
  std::ranges::sort(blocks, {}, [](const Block& block) { return block.repeats.front().first; });
  for (Block& block : blocks) {
    std::vector<std::string> names;
    for (const BlockRepeat& repeat : block.repeats) names.push_back(repeat.name);
    block.method = unique(block_method(names), methods);
  }
  return blocks;
}

}  // namespace tieout::torch_source
