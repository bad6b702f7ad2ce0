#include "layers/shared/category_encoding.h"

#include <utility>

#include "tieout/error.h"

namespace tieout {

namespace {

void check_axes(Lifter& lifter, const std::string& mode) {
  if (lifter.weights_only()) return;
  if (!lifter.input().known) lifter.refuse("its input's rank is not known", "give it with --input-shape");
  const std::size_t rank = lifter.input().axes.size();
  if (mode != "one_hot" && rank != 2) {
    // keras/src/utils/numerical_utils.py joins the batch of a plain list, and axis 1 of more than two.
    lifter.refuse("it joins the tokens of an input of rank " + std::to_string(rank) +
                      ", of which Keras takes another axis than the last",
                  "give it an input of batch and tokens");
  }
  if (mode == "one_hot" && rank > 1 && lifter.size(0, -1) == unknown) {
    lifter.refuse("the size of its input's last axis, which is left out where it is 1, is not known",
                  "give it with --input-shape");
  }
}

}  // namespace

void add_category_encoding(Lifter& lifter, const std::string& output_mode, std::int64_t tokens,
                           std::size_t weights) {
  if (output_mode == "int") return;
  const std::string mode = output_mode == "binary" ? "multi_hot" : output_mode;
  if (mode != "one_hot" && mode != "multi_hot" && mode != "count") {
    lifter.refuse("its output_mode is \"" + mode + "\"", "use int, one_hot, multi_hot or count");
  }
  if (tokens < 1) throw malformed("a category encoding needs tokens");
  check_axes(lifter, mode);
  Layer layer = lifter.layer("category_encoding");
  if (weights != 0 && mode != "count") lifter.refuse("it weighs what it does not count", "use count");
  std::vector<std::size_t> used{0};
  if (weights != 0) used.push_back(weights);
  for (const std::size_t k : used) {
    if (!lifter.weights_only() && lifter.input(k).known && lifter.input(k).axes.size() == 2)
      lifter.roles(k, {"n", "t"});
  }
  const std::vector<int> all = std::exchange(layer.inputs, {});
  if (!lifter.weights_only()) {
    for (const std::size_t k : used) layer.inputs.push_back(all.at(k));
  }
  layer.settings = {{"mode", mode}, {"tokens", tokens}};
  lifter.add(std::move(layer));
}

}  // namespace tieout
