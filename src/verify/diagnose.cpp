#include "verify/diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "layers/layer_kind.h"
#include "layers/record/infer.h"
#include "tieout/error.h"
#include "verify/branches.h"
#include "verify/compare.h"
#include "verify/parameters.h"

namespace tieout {

namespace {

using Values = std::vector<std::optional<Array>>;

// A layer with one thing changed.
struct Variant {
  Layer layer;
  std::string cause;
  std::string message;
};

// A value as a variant makes it, and how it lies.
struct Made {
  Array array;
  Axes axes;
};

struct Placed {
  const Array& array;
  const Axes& axes;
};

const Axes& axes_of(const Model& model, int value) {
  return model.values.at(static_cast<std::size_t>(value)).axes;
}

std::vector<Axes> input_axes(const Model& model, const Layer& layer) {
  std::vector<Axes> axes;
  for (const int value : layer.inputs) axes.push_back(axes_of(model, value));
  return axes;
}

const Layer& layer_at(const Model& model, int index) {
  return model.layers.at(static_cast<std::size_t>(index));
}

// One direction: layers of `side` are changed until its value is the other's.
class Search {
 public:
  // `values` are there when with() is called.
  Search(const DiagnosedSide& side, const Values& values, const std::set<int>& tied, int value)
      : side_(side), values_(values), value_(value) {
    collect(tied);
  }

  // The layers between the values that tie out and the one that does not, in the order of the data.
  [[nodiscard]] const std::vector<int>& candidates() const { return candidates_; }

  // Adds the values that with() takes.
  void add_inputs(std::set<int>& values) const {
    for (const int candidate : candidates_) {
      const auto& inputs = layer_at(side_.model, candidate).inputs;
      values.insert(inputs.begin(), inputs.end());
    }
  }

  [[nodiscard]] bool makes(int candidate) const { return side_.model.producer(value_) == candidate; }

  // `tied` without the values that the candidates take.
  [[nodiscard]] std::set<int> without_inputs(std::set<int> tied) const {
    for (const int candidate : candidates_) {
      for (const int input : layer_at(side_.model, candidate).inputs) {
        if (side_.model.producer(input) >= 0) tied.erase(input);
      }
    }
    return tied;
  }

  // The value when `index` is replaced by `changed`; nothing when it cannot be computed so.
  [[nodiscard]] std::optional<Made> with(int index, const Layer& changed) const {
    std::map<int, Made> made;
    for (const int candidate : candidates_) {
      if (candidate < index) continue;  // unchanged: layers are in topological order
      const Layer& layer = candidate == index ? changed : layer_at(side_.model, candidate);
      std::vector<const Array*> inputs;
      std::vector<Axes> axes;
      for (const int input : layer.inputs) {
        const auto found = made.find(input);
        const auto& known = values_.at(static_cast<std::size_t>(input));
        if (found == made.end() && !known) return std::nullopt;
        inputs.push_back(found != made.end() ? &found->second.array : &*known);
        axes.push_back(found != made.end() ? found->second.axes : axes_of(side_.model, input));
      }
      try {
        auto outputs = evaluate_layer(side_.file, layer, inputs, given(candidate).get());
        // The variant may have others than the layer: it sums along the rows instead of the columns.
        auto lie = knows(inputs, axes) ? output_axes(layer, axes) : output_axes_of(candidate);
        for (std::size_t k = 0; k < std::min({outputs.size(), lie.size(), layer.outputs.size()}); ++k) {
          made[layer.outputs[k]] = {std::move(outputs[k]), std::move(lie[k])};
        }
      } catch (const Error&) {
        return std::nullopt;  // the variant does not fit the tensors or the input: it is not the cause
      } catch (const Json::exception&) {
        return std::nullopt;
      } catch (const std::out_of_range&) {
        return std::nullopt;
      }
    }
    const auto found = made.find(value_);
    return found == made.end() ? std::nullopt : std::optional(std::move(found->second));
  }

 private:
  [[nodiscard]] static bool knows(const std::vector<const Array*>& arrays, const std::vector<Axes>& axes) {
    return std::ranges::equal(
        arrays, axes, [](const Array* array, const Axes& given) { return array->rank() == given.size(); });
  }

  [[nodiscard]] std::vector<Axes> output_axes_of(int layer) const {
    std::vector<Axes> axes;
    for (const int output : layer_at(side_.model, layer).outputs)
      axes.push_back(axes_of(side_.model, output));
    return axes;
  }

  void collect(const std::set<int>& tied) {
    std::set<int> wanted{value_};
    for (std::size_t i = side_.model.layers.size(); i-- > 0;) {
      const Layer& layer = side_.model.layers[i];
      const bool makes =
          std::ranges::any_of(layer.outputs, [&](int output) { return wanted.contains(output); });
      if (!makes) continue;
      candidates_.insert(candidates_.begin(), static_cast<int>(i));
      for (const int input : layer.inputs) {
        if (!tied.contains(input)) wanted.insert(input);
      }
    }
  }

  // Made once for all variants.
  [[nodiscard]] std::shared_ptr<const LayerParameters> given(int index) const {
    if (!side_.parameters) return nullptr;
    const auto [found, is_new] = given_.try_emplace(index);
    if (is_new) found->second = side_.parameters(index);
    return found->second;
  }

  const DiagnosedSide& side_;
  const Values& values_;
  int value_;
  std::vector<int> candidates_;
  mutable std::map<int, std::shared_ptr<const LayerParameters>> given_;
};

// The layer with the partner's settings where they differ: each one alone, then all of them.
std::vector<Variant> with_partner_settings(const Layer& layer, const Layer& partner,
                                           const std::string& own_file, const std::string& other_file) {
  std::vector<Variant> variants;
  Variant all{layer, "", ""};
  for (const auto& [key, value] : layer.settings.items()) {
    const auto theirs = partner.settings.find(key);
    if (theirs == partner.settings.end() || *theirs == value) continue;
    const std::string message =
        fmt::format("{} is {} in {} and {} in {}", key, theirs->dump(), other_file, value.dump(), own_file);
    variants.push_back({layer, key, message});
    variants.back().layer.settings[key] = *theirs;
    all.layer.settings[key] = *theirs;
    all.cause += (all.cause.empty() ? "" : ", ") + key;
    all.message += (all.message.empty() ? "" : "; ") + message;
  }
  if (variants.size() > 1) variants.push_back(all);
  return variants;
}

void add_mistakes(std::vector<Variant>& variants, const Variant& from, const DiagnosedSide& side) {
  for (const auto& mistake : kind_named(from.layer.kind).mistakes) {
    Variant variant = from;
    if (!mistake.mutate(variant.layer, side.model.framework, input_axes(side.model, from.layer))) continue;
    variant.cause = from.cause.empty() ? mistake.name : mistake.name + ", " + from.cause;
    variant.message = from.message.empty() ? mistake.message : mistake.message + "; " + from.message;
    variants.push_back(std::move(variant));
  }
}

// A mistake says the same of both files: it tells in which way they disagree, not who is wrong. Its own
// variants come before those that need a setting changed as well.
std::vector<Variant> variants_of(const DiagnosedSide& side, const Layer& layer, const DiagnosedSide& other,
                                 const Layer& partner) {
  std::vector<Variant> variants = with_partner_settings(layer, partner, side.file.file, other.file.file);
  const std::vector<Variant> settings = variants;
  add_mistakes(variants, {layer, "", ""}, side);
  for (const auto& variant : settings) add_mistakes(variants, variant, side);
  return variants;
}

class Diagnoser {
 public:
  Diagnoser(const DiagnosedSide& a, const DiagnosedSide& b, const Matching& matching,
            const std::vector<double>& relative, const std::function<void()>& on_compared)
      : a_(a), b_(b), matching_(matching), relative_(relative), on_compared_(on_compared) {}

  std::optional<Diagnosis> run(const std::vector<Array>& inputs_a, const std::vector<Array>& inputs_b) {
    const Pair* first = first_difference(inputs_a, inputs_b);
    if (first == nullptr) return std::nullopt;
    try {
      if (auto cause = other_branch_order(a_, inputs_a, b_, inputs_b, first->b, relative_)) return cause;
      return explain(*first, inputs_a, inputs_b);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unsupported) throw;
      return Diagnosis{maker(a_.model, first->a), maker(b_.model, first->b), "",
                       "the cause could not be looked for: " + error.describe()};
    }
  }

 private:
  // Null where all pairs tie out. Remembers those that do in front of it.
  const Pair* first_difference(const std::vector<Array>& inputs_a, const std::vector<Array>& inputs_b) {
    tied_a_.insert(a_.model.inputs.begin(), a_.model.inputs.end());
    tied_b_.insert(b_.model.inputs.begin(), b_.model.inputs.end());
    const auto wanted_a = paired_values(matching_, &Pair::a);
    const auto wanted_b = paired_values(matching_, &Pair::b);
    Interpretation left(a_.model, a_.file, inputs_a, {.parameters = a_.parameters, .keep = &wanted_a});
    Interpretation right(b_.model, b_.file, inputs_b, {.parameters = b_.parameters, .keep = &wanted_b});
    const Pair* first = nullptr;
    for_each_pair(matching_, left, right, [&](std::size_t index, const Array& x, const Array& y) {
      const Pair& pair = matching_.values[index];
      on_compared_();
      if (!ties_out({x, axes_of(a_.model, pair.a)}, {y, axes_of(b_.model, pair.b)}, pair)) {
        first = &pair;
        return false;
      }
      tied_a_.insert(pair.a);
      tied_b_.insert(pair.b);
      return true;
    });
    return first;
  }

  [[nodiscard]] bool ties_out(const Placed& left, const Placed& right, const Pair& pair) const {
    return compare(left.array, left.axes, right.array, right.axes,
                   relative_.at(static_cast<std::size_t>(pair.a)))
        .ties_out;
  }

  [[nodiscard]] const Pair* pair_of(int layer, bool in_b) const {
    const auto found = std::ranges::find(matching_.layers, layer, in_b ? &Pair::b : &Pair::a);
    return found == matching_.layers.end() ? nullptr : &*found;
  }

  Diagnosis explain(const Pair& pair, const std::vector<Array>& inputs_a,
                    const std::vector<Array>& inputs_b) {
    const Search search_a(a_, values_a_, tied_a_, pair.a);
    const Search search_b(b_, values_b_, tied_b_, pair.b);
    // Where a layer puts an axis may show only in what is made of its value, which itself ties out.
    const Search behind_a(a_, values_a_, search_a.without_inputs(tied_a_), pair.a);
    const Search behind_b(b_, values_b_, search_b.without_inputs(tied_b_), pair.b);
    values_a_ = values_for(a_, inputs_a, pair.a, behind_a);
    values_b_ = values_for(b_, inputs_b, pair.b, behind_b);
    const Placed left{*values_a_.at(static_cast<std::size_t>(pair.a)), axes_of(a_.model, pair.a)};
    const Placed right{*values_b_.at(static_cast<std::size_t>(pair.b)), axes_of(b_.model, pair.b)};
    // What a layer with a partner explains is not the fault of one that only one side has, though that one
    // may be able to make up for it: a padding in front of a convolution.
    if (auto cause = explain(search_a, search_b, pair, left, right, true)) return std::move(*cause);
    if (auto cause = explain(search_a, search_b, pair, left, right, false)) return std::move(*cause);
    if (auto cause = explain(behind_a, behind_b, pair, left, right, true)) return std::move(*cause);
    return unexplained(search_a, search_b, pair);
  }

  // The value that differs and what the variants take: no others are kept.
  static Values values_for(const DiagnosedSide& side, const std::vector<Array>& inputs, int value,
                           const Search& search) {
    std::set<int> keep{value};
    search.add_inputs(keep);
    return interpret(side.model, side.file, inputs, {.parameters = side.parameters, .keep = &keep});
  }

  // The variant of a layer with a partner, or without, under which the pair ties out. Those that make the
  // values themselves come first: what is done to a value behind a layer may look like a mistake of its own.
  [[nodiscard]] std::optional<Diagnosis> explain(const Search& in_a, const Search& in_b, const Pair& pair,
                                                 const Placed& left, const Placed& right,
                                                 bool with_partner) const {
    auto cause = explain(in_a, in_b, pair, left, right, with_partner, true);
    return cause ? std::move(cause) : explain(in_a, in_b, pair, left, right, with_partner, false);
  }

  [[nodiscard]] std::optional<Diagnosis> explain(const Search& in_a, const Search& in_b, const Pair& pair,
                                                 const Placed& left, const Placed& right, bool with_partner,
                                                 bool makers) const {
    for (const int index : in_b.candidates()) {
      if ((pair_of(index, true) != nullptr) != with_partner || in_b.makes(index) != makers) continue;
      for (const auto& variant : variants(index, true)) {
        const auto made = in_b.with(index, variant.layer);
        if (made && ties_out(left, {made->array, made->axes}, pair)) return found(index, true, pair, variant);
      }
    }
    for (const int index : in_a.candidates()) {
      if ((pair_of(index, false) != nullptr) != with_partner || in_a.makes(index) != makers) continue;
      for (const auto& variant : variants(index, false)) {
        const auto made = in_a.with(index, variant.layer);
        if (made && ties_out({made->array, made->axes}, right, pair))
          return found(index, false, pair, variant);
      }
    }
    return std::nullopt;
  }

  // Of a layer that the other side has in other words, its kind's mistakes alone.
  [[nodiscard]] std::vector<Variant> variants(int layer, bool in_b) const {
    const DiagnosedSide& own = in_b ? b_ : a_;
    const DiagnosedSide& other = in_b ? a_ : b_;
    if (const Pair* layers = pair_of(layer, in_b)) {
      const Layer& partner = layer_at(other.model, in_b ? layers->a : layers->b);
      return variants_of(own, layer_at(own.model, layer), other, partner);
    }
    std::vector<Variant> mistakes;
    add_mistakes(mistakes, {layer_at(own.model, layer), "", ""}, own);
    return mistakes;
  }

  // The layer and its partner; where it has none, the one that makes the value that differs.
  [[nodiscard]] Diagnosis found(int layer, bool in_b, const Pair& value, const Variant& variant) const {
    const Pair* layers = pair_of(layer, in_b);
    std::string a = layers != nullptr ? layer_at(a_.model, layers->a).name : maker(a_.model, value.a);
    std::string b = layers != nullptr ? layer_at(b_.model, layers->b).name : maker(b_.model, value.b);
    if (layers == nullptr) (in_b ? b : a) = variant.layer.name;
    return {std::move(a), std::move(b), variant.cause, variant.message};
  }

  [[nodiscard]] static std::string maker(const Model& model, int value) {
    const int made = model.producer(value);
    return made < 0 ? "" : layer_at(model, made).name;
  }

  // The parameters side by side; or else the layers that only one side has.
  [[nodiscard]] Diagnosis unexplained(const Search& in_a, const Search& in_b, const Pair& pair) const {
    for (const int index : in_b.candidates()) {
      const Pair* layers = pair_of(index, true);
      if (layers == nullptr) continue;
      const Layer& left = layer_at(a_.model, layers->a);
      const Layer& right = layer_at(b_.model, layers->b);
      const auto differing = differing_parameters(a_.model, a_.file, left, b_.model, b_.file, right, 1e-6);
      if (differing.empty() || b_.parameters) continue;
      std::string message = "the parameters differ:";
      for (const auto& one : differing) {
        message += fmt::format(" {} by {:.3g} of {:.3g};", one.name, one.max_abs, one.magnitude);
      }
      message += " no known mistake explains it";
      return {left.name, right.name, differing.size() == 1 ? differing[0].name : "parameters", message};
    }
    std::string only = without_partner(in_a, false) + without_partner(in_b, true);
    return {maker(a_.model, pair.a), maker(b_.model, pair.b), "",
            only.empty() ? "no setting, known mistake or parameter explains it"
                         : "layers without a partner stand in front of it:" + only};
  }

  [[nodiscard]] std::string without_partner(const Search& search, bool in_b) const {
    const DiagnosedSide& side = in_b ? b_ : a_;
    std::string names;
    for (const int index : search.candidates()) {
      const Layer& layer = layer_at(side.model, index);
      if (pair_of(index, in_b) != nullptr || kind_named(layer.kind).rearranges) continue;
      names += " " + layer.name + " (" + layer.kind + ", " + side.file.file + ")";
    }
    return names;
  }

  const DiagnosedSide& a_;
  const DiagnosedSide& b_;
  const Matching& matching_;
  const std::vector<double>& relative_;
  const std::function<void()>& on_compared_;
  Values values_a_;
  Values values_b_;
  std::set<int> tied_a_;
  std::set<int> tied_b_;
};

}  // namespace

std::optional<Diagnosis> diagnose(const DiagnosedSide& a, const std::vector<Array>& inputs_a,
                                  const DiagnosedSide& b, const std::vector<Array>& inputs_b,
                                  const Matching& matching, const std::vector<double>& relative,
                                  const std::function<void()>& on_compared) {
  return Diagnoser(a, b, matching, relative, on_compared).run(inputs_a, inputs_b);
}

}  // namespace tieout
