#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "layers/shared/category_encoding.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "tieout/error.h"

// Whole numbers looked up in a vocabulary.   y = start + the place of x in the vocabulary
//
// Settings: vocabulary, a list of different numbers; start, before which stand the places of all other
// numbers, buckets of them: start - buckets + (x mod buckets); mask (null: none), a number that becomes
// `masked`. An encoding of the places (output_mode) is a layer of its own, category_encoding: for it Keras
// leaves the mask out, which is a place below 0 here, and in PyTorch.

namespace tieout::layers {

namespace {

constexpr const char* own_class = "IntegerLookup";
constexpr const char* definition = R"(class IntegerLookup(nn.Module):
    """The places of whole numbers in a vocabulary, counted from start.

    Other numbers share the buckets before start; the mask, if there is one, becomes masked.
    """

    def __init__(self, vocabulary, start=1, buckets=1, mask=None, masked=0):
        super().__init__()
        self.first_bucket = start - buckets
        self.buckets = buckets
        self.mask = mask
        self.masked = masked
        numbers, order = torch.tensor(vocabulary).sort()
        self.register_buffer("numbers", numbers, persistent=False)
        self.register_buffer("places", order + start, persistent=False)

    def forward(self, x):
        x = x.long()
        found = torch.searchsorted(self.numbers, x).clamp(max=len(self.numbers) - 1)
        others = self.first_bucket + x.remainder(self.buckets)
        places = torch.where(self.numbers[found] == x, self.places[found], others)
        return places if self.mask is None else places.masked_fill(x == self.mask, self.masked)
)";

using Numbers = std::vector<std::int64_t>;

// Whole numbers that a double holds exactly.
constexpr std::int64_t largest = std::int64_t{1} << 53;

void check(Lifter& lifter, const Numbers& vocabulary) {
  if (vocabulary.empty()) lifter.refuse("its vocabulary is empty", "give it one");
  Numbers sorted = vocabulary;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    throw malformed("the vocabulary has a number twice");
  if (sorted.front() < -largest || sorted.back() > largest)
    lifter.refuse("its vocabulary has numbers beyond 2^53", "use smaller ones");
}

void refuse_what_keras_alone_has(Lifter& lifter, const std::string& mode) {
  const auto& given = lifter.settings();
  if (given.flag("invert", false))
    lifter.refuse("it turns places back into numbers", "do this behind the model");
  if (given.flag("sparse", false)) lifter.refuse("it makes sparse tensors", "leave sparse out");
  if (mode == "tf_idf" || mode == "tf-idf")
    lifter.refuse("it weighs by how rare a number is (tf_idf)", "use count, and multiply by the weights");
  if (!given.has("vocabulary"))
    lifter.refuse("the file does not have its vocabulary",
                  "call adapt() and save a .keras file, or give it get_vocabulary() as vocabulary");
}

// The vocabulary without the mask and the stand-ins for other numbers, with which it may begin
// (keras/src/layers/preprocessing/index_lookup.py, set_vocabulary).
Numbers without_special(Lifter& lifter, Numbers vocabulary, std::int64_t masks, std::int64_t buckets) {
  const auto special = static_cast<std::size_t>(masks + buckets);
  const auto& given = lifter.settings();
  if (vocabulary.size() < special) return vocabulary;
  for (std::size_t k = 0; k < special; ++k) {
    const bool is_mask = std::cmp_less(k, masks);
    if (!is_mask && given.raw("oov_token").is_null() && lifter.node().settings.contains("oov_token"))
      return vocabulary;
    if (vocabulary[k] != (is_mask ? given.integer("mask_token") : given.integer("oov_token", -1)))
      return vocabulary;
  }
  vocabulary.erase(vocabulary.begin(), vocabulary.begin() + static_cast<std::ptrdiff_t>(special));
  return vocabulary;
}

void lift_keras(Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::string mode = given.text("output_mode", "int");
  refuse_what_keras_alone_has(lifter, mode);
  const std::int64_t buckets = given.integer("num_oov_indices", 1);
  if (buckets < 0) throw malformed("num_oov_indices is below 0");
  if (buckets == 0)
    lifter.refuse("it fails for numbers outside its vocabulary (num_oov_indices=0)", "use num_oov_indices=1");
  if (buckets > 1 && given.text("oov_method", "floormod") != "floormod")
    lifter.refuse("it hashes numbers outside its vocabulary", "use oov_method=\"floormod\"");
  const bool has_mask = given.has("mask_token");
  const std::int64_t masks = has_mask && mode == "int" ? 1 : 0;
  const Numbers vocabulary = without_special(lifter, given.list("vocabulary"), masks, buckets);
  check(lifter, vocabulary);
  Layer layer = lifter.layer("integer_lookup");
  const std::int64_t start = masks + buckets;
  layer.settings = {{"vocabulary", vocabulary}, {"start", start}, {"buckets", buckets}, {"mask", nullptr}};
  if (has_mask) {
    const std::int64_t mask = given.integer("mask_token");
    if (std::ranges::find(vocabulary, mask) != vocabulary.end())
      throw malformed("the mask stands in the vocabulary");
    layer.settings["mask"] = mask;
    layer.settings["masked"] = mode == "int" ? 0 : -1;
  }
  lifter.add(std::move(layer));
  const auto tokens = given.flag("pad_to_max_tokens", false)
                          ? given.integer("max_tokens")
                          : start + static_cast<std::int64_t>(vocabulary.size());
  add_category_encoding(lifter, mode, tokens);
}

void lift_torch(Lifter& lifter) {
  const auto& given = lifter.settings();
  const Numbers vocabulary = given.list("vocabulary");
  check(lifter, vocabulary);
  const std::int64_t buckets = given.integer("buckets", 1);
  if (buckets < 1) throw malformed("a lookup needs a place for other numbers");
  Layer layer = lifter.layer("integer_lookup");
  layer.settings = {{"vocabulary", vocabulary},
                    {"start", given.integer("start", 1)},
                    {"buckets", buckets},
                    {"mask", nullptr}};
  if (given.has("mask")) {
    layer.settings["mask"] = given.integer("mask");
    layer.settings["masked"] = given.integer("masked", 0);
  }
  lifter.add(std::move(layer));
}

void lower(Lowerer& lowerer) {
  const auto& settings = lowerer.layer().settings;
  Json made = {{"vocabulary", settings["vocabulary"]}};
  const bool has_mask = !settings["mask"].is_null();
  if (lowerer.to_torch()) {
    for (const auto* name : {"start", "buckets"}) {
      if (settings[name] != 1) made[name] = settings[name];
    }
    if (has_mask) {
      made["mask"] = settings["mask"];
      if (settings["masked"] != 0) made["masked"] = settings["masked"];
    }
    add_own_class(lowerer, own_class, definition, made);
    return;
  }
  const std::int64_t masks = has_mask ? 1 : 0;
  if (settings["start"].get<std::int64_t>() != masks + settings["buckets"].get<std::int64_t>() ||
      (has_mask && settings["masked"] != 0)) {
    lowerer.refuse("Keras' IntegerLookup has the place 0 for a mask, and the vocabulary behind the others",
                   "give the mask the place 0");
  }
  made["num_oov_indices"] = settings["buckets"];
  if (has_mask) made["mask_token"] = settings["mask"];
  lowerer.add("IntegerLookup", made);
}

std::vector<Array> compute(const Evaluation& e) {
  const auto vocabulary = e.integers("vocabulary");
  std::map<double, double> places;
  for (std::size_t k = 0; k < vocabulary.size(); ++k)
    places.emplace(static_cast<double>(vocabulary[k]), e.number("start") + static_cast<double>(k));
  if (!e.layer.settings.at("mask").is_null()) places[e.number("mask")] = e.number("masked");
  const double buckets = e.number("buckets");
  const double first = e.number("start") - buckets;
  Array y = *e.inputs[0];
  for (double& x : y.data) {
    const double number = std::trunc(x);
    const auto found = places.find(number);
    x = found != places.end() ? found->second : first + number - buckets * std::floor(number / buckets);
  }
  return {y};
}

std::vector<Mistake> mistakes() {
  const auto mutate = [](Layer& layer, Framework, const std::vector<Axes>&) {
    auto vocabulary = layer.settings["vocabulary"].get<Numbers>();
    if (std::ranges::is_sorted(vocabulary)) return false;
    std::ranges::sort(vocabulary);
    layer.settings["vocabulary"] = vocabulary;
    return true;
  };
  return {{"vocabulary_order", "the vocabulary stands in ascending order, not in its own", mutate}};
}

std::vector<Case> cases() {
  const auto look_up = [](const std::string& name, const Json& more) {
    Json settings = {{"vocabulary", {7, 2, 5}}};
    settings.update(more);
    Case made = keras_case(name, "IntegerLookup", settings, {4, 6});
    made.inputs = "indices:9";
    return made;
  };
  std::vector<Case> all = {
      look_up("default", Json::object()),
      look_up("mask", {{"mask_token", 0}}),
      look_up("several places for others", {{"num_oov_indices", 3}}),
      look_up("mask, several places for others", {{"num_oov_indices", 2}, {"mask_token", 4}}),
      look_up("mask and others in the vocabulary",
              {{"vocabulary", {0, -1, 7, 2, 5}}, {"mask_token", 0}, {"oov_token", -1}}),
      look_up("one-hot", {{"output_mode", "one_hot"}}),
      look_up("multi-hot", {{"output_mode", "multi_hot"}, {"num_oov_indices", 2}}),
      look_up("count, room for more",
              {{"output_mode", "count"}, {"pad_to_max_tokens", true}, {"max_tokens", 8}}),
      look_up("one-hot, mask", {{"output_mode", "one_hot"}, {"mask_token", 2}, {"vocabulary", {7, 5}}}),
      look_up("count, mask", {{"output_mode", "count"}, {"mask_token", 2}, {"vocabulary", {7, 5}}})};
  for (std::size_t k = all.size() - 2; k < all.size(); ++k) all[k].back_refuses = true;
  return all;
}

}  // namespace

LayerKind integer_lookup() {
  LayerKind kind;
  kind.name = "integer_lookup";
  kind.torch = exact({"tieout.IntegerLookup"});
  kind.keras = exact({"IntegerLookup"});
  kind.summary = "Whole numbers become their places in a vocabulary; others share places before it.";
  kind.sources = {"https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/"};
  kind.lift = [](Lifter& lifter) { lifter.is_keras() ? lift_keras(lifter) : lift_torch(lifter); };
  kind.lower = lower;
  kind.compute = compute;
  kind.reads_indices = true;
  kind.absorbs_flatten = true;
  kind.mistakes = mistakes();
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
