// What Keras' layers do with masks (keras/src/layers, version 3.15), for state_masks.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/framework_model.h"

namespace tieout {

enum class MaskRole {
  makes,             // Embedding(mask_zero=True), Masking
  takes,             // has an argument `mask`, of its one input
  passes,            // supports_masking, and hands its input's mask on
  joins,             // makes of its inputs' masks one
  attends,           // Attention and AdditiveAttention: mask=[query's, value's]
  attends_in_heads,  // MultiHeadAttention, GroupedQueryAttention: query_mask, value_mask, key_mask
  refuses,           // computes with a mask in a way that is not carried
  destroys           // neither reads nor hands on: convolutions and most others
};

MaskRole mask_role(const FrameworkNode& node);

// Of a layer that takes a mask: whether it hands the mask on, with a whole sequence.
bool hands_on_sequence(const FrameworkNode& node);

// Of a layer that passes masks: whether it returns, in inference, the tensor that it is given.
bool returns_its_input(const FrameworkNode& node);

// A Concatenate along the last axis.
bool joins_features(const FrameworkNode& node);

// query, value, key, their masks and attention_mask: call()'s arguments in heads.
const std::vector<std::string>& head_arguments();

bool is_keras2(const FrameworkModel& model);

// A mask whose nodes are added when the first call takes it.
struct MaskSource {
  FrameworkNode maker;  // Embedding or Masking with its input in the new list of nodes; or what joins `parts`
  std::vector<std::shared_ptr<MaskSource>> parts;
  std::optional<ValueRef> made;
};

// Null: known to be there, but not which.
using Mask = std::shared_ptr<MaskSource>;

Mask made_by(const FrameworkNode& node);

// Nodes of the operators that Keras' own compute_mask uses, for `maker`; the first of them will be node
// number `first`. The last one is the mask.
std::vector<FrameworkNode> mask_nodes(const FrameworkNode& maker, int first);

// keras.ops' class on these values.
FrameworkNode operator_on(const std::string& name, const std::string& class_name,
                          const std::vector<ValueRef>& values, const Json& settings = Json::object());

// MultiHeadAttention takes the masks off the tensors that it is called with, for whoever comes after it.
class MaskReaders {
 public:
  explicit MaskReaders(const std::vector<FrameworkNode>& nodes);

  // For a MultiHeadAttention: the name of a layer that reads the mask on one of its inputs when the model
  // runs, and that neither needs its output nor makes its input: whether it comes before or after is not
  // told by the graph. Empty: none.
  [[nodiscard]] std::string rival_of(std::size_t node) const;

 private:
  [[nodiscard]] bool needs(std::size_t node, std::size_t other) const;

  const std::vector<FrameworkNode>& nodes_;
  std::vector<std::vector<std::size_t>> inputs_;           // nodes whose values each node takes
  std::vector<std::vector<std::pair<int, int>>> tensors_;  // that each node reads a mask of
  std::map<std::pair<int, int>, std::vector<std::size_t>> readers_;
};

}  // namespace tieout
