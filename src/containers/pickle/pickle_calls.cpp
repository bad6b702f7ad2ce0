// What calls become: data, or a refusal.
#include <utility>

#include "containers/pickle/pickle_machine.h"

namespace tieout {

void PickleMachine::reduce() {
  const Index arguments = pop();
  const Index callee = pop();
  push_callee(PickleKind::call, callee, arguments);  // checks both
  const auto role = callables_.find(node(callee).full_name());
  if (role == callables_.end()) {
    throw error("the pickle calls '" + node(callee).full_name() +
                "', which is not plain data; nothing was run");
  }
  if (role->second == PickleRole::call) return;
  pop();
  const PickleNode given = node(arguments);
  switch (role->second) {
    case PickleRole::dict:
      make_dict(given);
      return;
    case PickleRole::set: {
      std::vector<Index> items;
      for (std::size_t i = 0; given.size() != 0 && i < given.item(0).size(); ++i) {
        items.push_back(given.item(0).item(i).index());
      }
      push_copied(PickleKind::set, std::move(items));
      return;
    }
    case PickleRole::latin1_bytes:
      encode_latin1(arguments);
      return;
    default:
      if (given.size() != 1) throw error("'" + role->first + "' is called without its one argument");
      stack_.push_back(given.item(0).index());
  }
}

// Of nothing, or as Python 2 spells it, of a list of pairs: [["key", value], ...].
void PickleMachine::make_dict(const PickleNode& arguments) {
  std::vector<Index> items;
  if (arguments.size() > 1) throw error("a dict is made of more than one argument");
  for (std::size_t i = 0; arguments.size() == 1 && i < arguments.item(0).size(); ++i) {
    const PickleNode pair = arguments.item(0).item(i);
    if (pair.size() != 2) throw error("a dict is made of something else than pairs");
    items.push_back(pair.item(0).index());
    items.push_back(pair.item(1).index());
  }
  push_copied(PickleKind::dict, std::move(items));
}

void PickleMachine::push_copied(PickleKind kind, std::vector<Index> items) {
  copied_ += items.size();
  if (copied_ > reader_.position()) throw error("the pickle copies one list again and again");
  push_container(kind, std::move(items));
}

void PickleMachine::build() {
  const Index state = pop();
  const PickleKind kind = node(top()).kind();
  if (kind != PickleKind::object && kind != PickleKind::call && kind != PickleKind::dict) {
    throw error("a state is given to " + std::string(describe(kind)));
  }
  // A pickler never does that; a first state that sets __setstate__ would have the second one call it.
  if (container(top()).state != PickleTree::nothing)
    throw error("a state is given to an object a second time");
  container(top()).state = state;
}

void PickleMachine::encode_latin1(Index arguments) {
  const PickleNode given = node(arguments);
  if (given.size() != 2 || given.item(1).text() != "latin1")
    throw error("bytes are not spelled as latin1 text");
  const std::string_view text = given.item(0).text();
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    // The text is well-formed UTF-8: above 0x7F comes a sequence; latin1 ends with the two bytes C3 BF.
    if (first < 0x80) {
      bytes.push_back(text[i]);
    } else if (first <= 0xC3) {
      const auto second = static_cast<unsigned char>(text[++i]);
      bytes.push_back(static_cast<char>((first & 0x03U) << 6 | (second & 0x3FU)));
    } else {
      throw error("bytes spelled as text hold a character above 255");
    }
  }
  push_text(PickleKind::bytes, tree_.made_.emplace_back(std::move(bytes)));
}

PickleCallables plain_callables() {
  return {{"collections.OrderedDict", PickleRole::dict}, {"_codecs.encode", PickleRole::latin1_bytes},
          {"__builtin__.set", PickleRole::set},          {"builtins.set", PickleRole::set},
          {"__builtin__.frozenset", PickleRole::set},    {"builtins.frozenset", PickleRole::set}};
}

PickleTree read_leading_pickle(const PickleSource& source, const PickleCallables& callables,
                               const Where& where) {
  return PickleMachine(source, callables, where).run();
}

PickleTree read_pickle(std::vector<std::byte> source, const PickleCallables& callables, const Where& where) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(source));
  PickleTree tree = read_leading_pickle({.bytes = *owner, .owner = owner, .offset = 0}, callables, where);
  if (tree.length() != owner->size()) {
    Where end = where;
    end.offset = tree.length();
    throw malformed("bytes are left after the pickle", end);
  }
  return tree;
}

}  // namespace tieout
