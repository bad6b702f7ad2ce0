#include "containers/pickle/pickle_tree.h"

namespace tieout {

namespace {
// The name of a class that the file keeps outside the pickle.
constexpr std::string_view outside = "(outside)";
}  // namespace

std::string_view describe(PickleKind kind) {
  switch (kind) {
    case PickleKind::none:
      return "None";
    case PickleKind::boolean:
      return "a truth value";
    case PickleKind::integer:
      return "an integer";
    case PickleKind::big_integer:
      return "an integer of more than 64 bits";
    case PickleKind::real:
      return "a float";
    case PickleKind::bytes:
      return "bytes";
    case PickleKind::text:
      return "a string";
    case PickleKind::list:
      return "a list";
    case PickleKind::tuple:
      return "a tuple";
    case PickleKind::set:
      return "a set";
    case PickleKind::dict:
      return "a dict";
    case PickleKind::global:
      return "a class or function";
    case PickleKind::object:
      return "an object";
    case PickleKind::call:
      return "the result of a call";
    case PickleKind::persistent:
      return "a persistent id";
  }
  return "nothing known";
}

std::vector<PickleNode> PickleTree::all(PickleKind kind) const {
  std::vector<PickleNode> found;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == kind) found.emplace_back(*this, static_cast<Index>(i));
  }
  return found;
}

PickleKind PickleNode::kind() const {
  return tree_->values_[index_].kind;
}

Error PickleNode::error(const std::string& message) const {
  Where where = tree_->where_;
  where.offset = tree_->base_ + tree_->values_[index_].offset;
  return malformed(message, where);
}

void PickleNode::expect(PickleKind wanted) const {
  if (kind() != wanted) {
    throw error("expected " + std::string(describe(wanted)) + ", found " + std::string(describe(kind())));
  }
}

bool PickleNode::boolean() const {
  expect(PickleKind::boolean);
  return tree_->values_[index_].integer != 0;
}

std::int64_t PickleNode::integer() const {
  expect(PickleKind::integer);
  return tree_->values_[index_].integer;
}

double PickleNode::real() const {
  expect(PickleKind::real);
  return tree_->values_[index_].real;
}

std::string_view PickleNode::text() const {
  expect(PickleKind::text);
  return tree_->texts_[tree_->values_[index_].at];
}

std::string_view PickleNode::bytes() const {
  expect(PickleKind::bytes);
  return tree_->texts_[tree_->values_[index_].at];
}

std::size_t PickleNode::size() const {
  if (!is(PickleKind::list) && !is(PickleKind::set) && !is(PickleKind::object)) expect(PickleKind::tuple);
  return tree_->containers_[tree_->values_[index_].at].items.size();
}

PickleNode PickleNode::item(std::size_t i) const {
  if (i >= size())
    throw error("expected at least " + std::to_string(i + 1) + " items, found " + std::to_string(size()));
  return {*tree_, tree_->containers_[tree_->values_[index_].at].items[i]};
}

std::size_t PickleNode::pairs() const {
  if (!is(PickleKind::object)) expect(PickleKind::dict);
  return tree_->containers_[tree_->values_[index_].at].items.size() / 2;
}

PickleNode PickleNode::key(std::size_t i) const {
  if (i >= pairs()) throw error("a dict ends before pair " + std::to_string(i));
  return {*tree_, tree_->containers_[tree_->values_[index_].at].items[2 * i]};
}

PickleNode PickleNode::value(std::size_t i) const {
  if (i >= pairs()) throw error("a dict ends before pair " + std::to_string(i));
  return {*tree_, tree_->containers_[tree_->values_[index_].at].items[2 * i + 1]};
}

std::optional<PickleNode> PickleNode::find(std::string_view wanted) const {
  for (std::size_t i = pairs(); i-- > 0;) {
    const PickleNode candidate = key(i);
    if (candidate.is(PickleKind::text) && candidate.text() == wanted) return value(i);
  }
  return std::nullopt;
}

// The global whose names the value has; nothing when it is a persistent id without one.
std::optional<PickleNode> PickleNode::naming() const {
  if (is(PickleKind::object) || is(PickleKind::call)) {
    return PickleNode(*tree_, tree_->containers_[tree_->values_[index_].at].callee).naming();
  }
  if (is(PickleKind::persistent)) {
    const PickleNode fields = id();
    for (std::size_t i = 0; fields.is(PickleKind::tuple) && i < fields.size(); ++i) {
      if (fields.item(i).is(PickleKind::global)) return fields.item(i);
    }
    return std::nullopt;
  }
  expect(PickleKind::global);
  return *this;
}

std::string_view PickleNode::module() const {
  const auto global = naming();
  return global ? tree_->globals_[tree_->values_[global->index_].at].module : outside;
}

std::string_view PickleNode::name() const {
  const auto global = naming();
  return global ? tree_->globals_[tree_->values_[global->index_].at].name : outside;
}

std::string PickleNode::full_name() const {
  return std::string(module()) + "." + std::string(name());
}

bool PickleNode::is_global(std::string_view wanted) const {
  return is(PickleKind::global) && full_name() == wanted;
}

bool PickleNode::is_call(std::string_view wanted) const {
  return is(PickleKind::call) && full_name() == wanted;
}

PickleNode PickleNode::arguments() const {
  if (!is(PickleKind::object)) expect(PickleKind::call);
  return {*tree_, tree_->containers_[tree_->values_[index_].at].arguments};
}

std::optional<PickleNode> PickleNode::state() const {
  if (!is(PickleKind::object) && !is(PickleKind::dict)) expect(PickleKind::call);
  const auto state = tree_->containers_[tree_->values_[index_].at].state;
  if (state == PickleTree::nothing) return std::nullopt;
  return PickleNode(*tree_, state);
}

PickleNode PickleNode::id() const {
  expect(PickleKind::persistent);
  return {*tree_, tree_->containers_[tree_->values_[index_].at].callee};
}

}  // namespace tieout
