#include <algorithm>

#include "layers/shared/attention.h"

namespace tieout {

namespace {

const char* const masked = "normal,normal,normal,boolean";

std::vector<Case> torch_cases() {
  const auto torch = Framework::torch;
  const std::string torch_class = "MultiheadAttention";
  return {
      {.name = "batch first",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 8}, {"num_heads", 2}, {"batch_first", true}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}, {2, 3, 8}}},
      {.name = "defaults (time first)",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 8}, {"num_heads", 2}},
       .input_shapes = {{5, 2, 8}, {3, 2, 8}, {3, 2, 8}}},
      {.name = "other features of key and value",
       .framework = torch,
       .class_name = torch_class,
       .settings = {{"embed_dim", 12}, {"num_heads", 3}, {"kdim", 5}, {"vdim", 7}, {"batch_first", true}},
       .input_shapes = {{2, 4, 12}, {2, 6, 5}, {2, 6, 7}}},
      {.name = "no bias, dropout, three per head",
       .framework = torch,
       .class_name = torch_class,
       .settings =
           {{"embed_dim", 6}, {"num_heads", 2}, {"bias", false}, {"dropout", 0.5}, {"batch_first", true}},
       .input_shapes = {{2, 4, 6}, {2, 5, 6}, {2, 5, 6}},
       .keras_rounds_to_float32 = true},
  };
}

std::vector<Case> keras_cases() {
  const auto keras = Framework::keras;
  const std::string keras_class = "MultiHeadAttention";
  return {
      {.name = "query and value",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
      {.name = "query, value and key",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 3}, {"key_dim", 4}},
       .input_shapes = {{2, 4, 12}, {2, 6, 7}, {2, 6, 5}}},
      {.name = "no bias, three per head",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 3}, {"use_bias", false}},
       .input_shapes = {{2, 5, 6}, {2, 3, 6}},
       .keras_rounds_to_float32 = true},
      {.name = "key_dim as wide as the features",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}},
       .input_shapes = {{2, 5, 4}, {2, 3, 4}}},
      {.name = "other value_dim and output_shape",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}, {"value_dim", 3}, {"output_shape", 5}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
      {.name = "causal, as wide as the features",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}, {"call", {{"use_causal_mask", true}}}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
      {.name = "scores",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2}, {"key_dim", 4}, {"call", {{"return_attention_scores", true}}}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
  };
}

std::vector<Case> masked_cases() {
  const auto keras = Framework::keras;
  const std::string keras_class = "MultiHeadAttention";
  return {
      {.name = "attention_mask",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2},
                    {"key_dim", 4},
                    {"call", {{"arguments", {"query", "value", "key", "attention_mask"}}}}},
       .input_shapes = {{2, 5, 8}, {2, 3, 7}, {2, 3, 6}, {2, 5, 3}},
       .inputs = masked},
      {.name = "attention_mask, dropout",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2},
                    {"key_dim", 4},
                    {"dropout", 0.3},
                    {"call", {{"arguments", {"query", "value", "key", "attention_mask"}}}}},
       .input_shapes = {{3, 9, 8}, {3, 2, 7}, {3, 2, 6}, {3, 9, 2}},
       .inputs = masked},
      {.name = "masks of value and key",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2},
                    {"key_dim", 4},
                    {"call", {{"arguments", {"query", "value", "key", "value_mask", "key_mask"}}}}},
       .input_shapes = {{2, 5, 8}, {2, 3, 7}, {2, 3, 6}, {2, 3}, {2, 3}},
       .inputs = masked},
      {.name = "scores, attention_mask, other value_dim",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2},
                    {"key_dim", 4},
                    {"value_dim", 3},
                    {"call",
                     {{"arguments", {"query", "value", "key", "attention_mask"}},
                      {"return_attention_scores", true}}}},
       .input_shapes = {{3, 9, 8}, {3, 2, 7}, {3, 2, 6}, {3, 9, 2}},
       .inputs = masked},
      {.name = "attention_mask, causal, sliding window, gate",
       .framework = keras,
       .class_name = keras_class,
       .settings = {{"num_heads", 2},
                    {"key_dim", 4},
                    {"value_dim", 3},
                    {"sliding_window", 2},
                    {"use_gate", true},
                    {"attention_axes", {1}},
                    {"call",
                     {{"arguments", {"query", "value", "key", "attention_mask"}},
                      {"use_causal_mask", true}}}},
       .input_shapes = {{2, 5, 8}, {2, 5, 7}, {2, 5, 6}, {2, 5, 5}},
       .inputs = masked},
  };
}

std::vector<Case> grouped_cases() {
  const auto keras = Framework::keras;
  const std::string grouped = "GroupQueryAttention";
  return {
      {.name = "two query heads for each of key and value",
       .framework = keras,
       .class_name = grouped,
       .settings = {{"head_dim", 4}, {"num_query_heads", 4}, {"num_key_value_heads", 2}},
       .input_shapes = {{2, 5, 8}, {2, 3, 8}}},
      {.name = "one key for all, causal, no bias",
       .framework = keras,
       .class_name = grouped,
       .settings = {{"head_dim", 4},
                    {"num_query_heads", 3},
                    {"num_key_value_heads", 1},
                    {"use_bias", false},
                    {"call", {{"use_causal_mask", true}}}},
       .input_shapes = {{2, 5, 8}, {2, 5, 8}, {2, 5, 7}}},
      {.name = "masks of query, value and key, scores",
       .framework = keras,
       .class_name = grouped,
       .settings = {{"head_dim", 4},
                    {"num_query_heads", 4},
                    {"num_key_value_heads", 2},
                    {"call",
                     {{"arguments", {"query", "value", "key", "query_mask", "value_mask", "key_mask"}},
                      {"return_attention_scores", true}}}},
       .input_shapes = {{2, 5, 8}, {2, 9, 8}, {2, 9, 8}, {2, 5}, {2, 9}, {2, 9}},
       .inputs = masked},
      {.name = "gate, sliding window",
       .framework = keras,
       .class_name = grouped,
       .settings = {{"head_dim", 4},
                    {"num_query_heads", 4},
                    {"num_key_value_heads", 2},
                    {"use_gate", true},
                    {"sliding_window", 3}},
       .input_shapes = {{2, 5, 8}, {2, 5, 8}}},
  };
}

}  // namespace

std::vector<Case> attention_cases() {
  std::vector<Case> all = torch_cases();
  std::ranges::copy(keras_cases(), std::back_inserter(all));
  std::ranges::copy(masked_cases(), std::back_inserter(all));
  std::ranges::copy(grouped_cases(), std::back_inserter(all));
  return all;
}

}  // namespace tieout
