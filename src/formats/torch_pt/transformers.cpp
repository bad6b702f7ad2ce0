#include "formats/torch_pt/transformers.h"

#include <optional>
#include <utility>

namespace tieout::torch_pt {

namespace {

constexpr std::string_view home = "torch.nn.modules.transformer.";

bool is_class(const PickleNode& module, std::string_view name) {
  return module.full_name() == std::string(home) + std::string(name);
}

std::optional<PickleNode> find_child(const PickleNode& module, std::string_view name) {
  const auto children = module.state()->find("_modules");
  if (!children) return std::nullopt;
  const auto child = children->find(name);
  if (!child || child->is(PickleKind::none)) return std::nullopt;
  return child;
}

PickleNode child_of(const PickleNode& module, std::string_view name) {
  const auto child = find_child(module, name);
  if (!child) throw module.error("a " + std::string(module.name()) + " has no '" + std::string(name) + "'");
  return *child;
}

// One layer of an encoder or a decoder.
class Block {
 public:
  Block(const PickleNode& module, std::string name, Steps& steps)
      : module_(module), name_(std::move(name)), steps_(steps) {
    const auto first = module.state()->find("norm_first");
    norm_first_ = first && first->is(PickleKind::boolean) && first->boolean();
  }

  // norm(x + part(x)), or with norm_first x + part(norm(x)).
  template <typename Part>
  ValueRef residual(const ValueRef& x, const std::string& number, const Part& part) {
    const ValueRef y = part(norm_first_ ? call("norm" + number, {x}) : x);
    const ValueRef sum = steps_.apply("torch.add", inner("add" + number), {x, y});
    return norm_first_ ? sum : call("norm" + number, {sum});
  }

  ValueRef call(const std::string& child, const std::vector<ValueRef>& inputs) {
    return steps_.call(child_of(module_, child), inner(child), inputs);
  }

  ValueRef feed_forward(const ValueRef& x) { return call("linear2", {activation(call("linear1", {x}))}); }

 private:
  [[nodiscard]] std::string inner(const std::string& child) const {
    return name_.empty() ? child : name_ + "." + child;
  }

  // A module, or a function: torch.nn.functional.relu, gelu or another one that a class of torch.nn computes.
  ValueRef activation(const ValueRef& x) {
    if (find_child(module_, "activation")) return call("activation", {x});
    const auto function = module_.state()->find("activation");
    std::string class_name = "ReLU";  // what __setstate__ fills in
    if (function && !function->is(PickleKind::none)) {
      const bool is_named = function->is(PickleKind::global);
      const std::string full = is_named ? function->full_name() : "a function of its own";
      const std::string last = full.substr(full.rfind('.') + 1);
      class_name = last == "relu" ? "ReLU" : last == "gelu" ? "GELU" : last == "silu" ? "SiLU" : full;
    }
    return steps_.apply(class_name, inner("activation"), {x});
  }

  const PickleNode& module_;
  std::string name_;
  Steps& steps_;
  bool norm_first_ = false;
};

ValueRef encoder_layer(const PickleNode& module, const std::string& name, const ValueRef& src, Steps& steps) {
  Block block(module, name, steps);
  const ValueRef x = block.residual(src, "1", [&](const ValueRef& y) {
    return block.call("self_attn", {y, y, y});
  });
  return block.residual(x, "2", [&](const ValueRef& y) { return block.feed_forward(y); });
}

ValueRef decoder_layer(const PickleNode& module, const std::string& name, const ValueRef& tgt,
                       const ValueRef& memory, Steps& steps) {
  Block block(module, name, steps);
  ValueRef x = block.residual(tgt, "1", [&](const ValueRef& y) {
    return block.call("self_attn", {y, y, y});
  });
  x = block.residual(x, "2", [&](const ValueRef& y) {
    return block.call("multihead_attn", {y, memory, memory});
  });
  return block.residual(x, "3", [&](const ValueRef& y) { return block.feed_forward(y); });
}

// The layers one after the other, and the norm behind them if there is one. `inputs`: x, and what every
// layer of a decoder takes besides.
ValueRef stack(const PickleNode& module, const std::string& name, std::vector<ValueRef> inputs,
               Steps& steps) {
  const std::string prefix = name.empty() ? "" : name + ".";
  const auto layers = child_of(module, "layers").state()->find("_modules");
  if (!layers) throw module.error("its layers are no modules");
  for (std::size_t i = 0; i < layers->pairs(); ++i) {
    inputs[0] = steps.call(layers->value(i), prefix + "layers." + std::string(layers->key(i).text()), inputs);
  }
  const auto norm = find_child(module, "norm");
  return norm ? steps.call(*norm, prefix + "norm", {inputs[0]}) : inputs[0];
}

}  // namespace

std::vector<std::string> transformer_inputs(const PickleNode& module) {
  if (is_class(module, "TransformerEncoderLayer") || is_class(module, "TransformerEncoder")) return {"src"};
  if (is_class(module, "TransformerDecoderLayer") || is_class(module, "TransformerDecoder")) {
    return {"tgt", "memory"};
  }
  if (is_class(module, "Transformer")) return {"src", "tgt"};
  return {};
}

ValueRef walk_transformer(const PickleNode& module, const std::string& name,
                          const std::vector<ValueRef>& inputs, Steps& steps) {
  if (is_class(module, "TransformerEncoderLayer")) return encoder_layer(module, name, inputs.at(0), steps);
  if (is_class(module, "TransformerDecoderLayer")) {
    return decoder_layer(module, name, inputs.at(0), inputs.at(1), steps);
  }
  if (!is_class(module, "Transformer")) return stack(module, name, inputs, steps);
  const std::string prefix = name.empty() ? "" : name + ".";
  const ValueRef memory = steps.call(child_of(module, "encoder"), prefix + "encoder", {inputs.at(0)});
  return steps.call(child_of(module, "decoder"), prefix + "decoder", {inputs.at(1), memory});
}

}  // namespace tieout::torch_pt
