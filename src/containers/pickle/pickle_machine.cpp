#include "containers/pickle/pickle_machine.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <utility>

#include "containers/utf8.h"

namespace tieout {

namespace {

// Deeper nesting than this is no network; Python's own recursion limit is of the same order.
constexpr std::size_t most_marks = 1000;

}  // namespace

PickleMachine::PickleMachine(const PickleSource& source, const PickleCallables& callables, const Where& where)
    // Values know their offsets in 32 bits; a longer pickle ends there.
    : reader_(source.bytes.first(
                  std::min<std::size_t>(source.bytes.size(), std::numeric_limits<std::uint32_t>::max())),
              where, source.offset),
      callables_(callables) {
  tree_.where_ = where;
  tree_.owner_ = source.owner;
  tree_.base_ = source.offset;
}

Error PickleMachine::error(const std::string& message) const {
  Where where = tree_.where_;
  where.offset = tree_.base_ + opcode_at_;
  return malformed(message, where);
}

PickleTree PickleMachine::run() && {
  while (!stopped_) {
    opcode_at_ = reader_.position();
    const std::uint8_t byte = reader_.u8("pickle; it ends without STOP");
    const auto opcode = static_cast<Opcode>(byte);
    const bool done = structure(opcode) || scalar(opcode) || text(opcode) || sequence(opcode) ||
                      mapping(opcode) || call(opcode) || memo(opcode);
    if (!done) {
      throw error("opcode " + std::to_string(byte) +
                  " is unknown or not plain data; pickles are read, never run");
    }
  }
  if (stack_.size() != 1 || !marks_.empty()) throw error("the pickle ends with values left over");
  tree_.length_ = reader_.position();
  tree_.root_ = stack_.front();
  return std::move(tree_);
}

bool PickleMachine::structure(Opcode opcode) {
  switch (opcode) {
    case Opcode::proto: {
      const std::uint8_t protocol = reader_.u8("protocol");
      if (protocol < pickle::lowest_protocol || protocol > pickle::highest_protocol) {
        throw error("pickle protocol " + std::to_string(protocol) + " is not one of 2 to 5");
      }
      return true;
    }
    case Opcode::frame: {
      const std::uint64_t size = reader_.u64("frame");
      if (size > reader_.remaining()) throw error("a frame of the pickle is longer than the pickle");
      return true;
    }
    case Opcode::mark:
      if (marks_.size() >= most_marks) throw error("the pickle is nested more than 1000 deep");
      marks_.push_back(stack_.size());
      return true;
    case Opcode::stop:
      stopped_ = true;
      return true;
    case Opcode::pop:
      // Python's pickler writes POP for a mark, too.
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case Opcode::pop_mark:
      pop_to_mark();
      return true;
    case Opcode::dup:
      stack_.push_back(top());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::scalar(Opcode opcode) {
  switch (opcode) {
    case Opcode::none:
      push(PickleKind::none);
      return true;
    case Opcode::new_true:
      push(PickleKind::boolean, 1);
      return true;
    case Opcode::new_false:
      push(PickleKind::boolean, 0);
      return true;
    case Opcode::binint:
      push(PickleKind::integer, static_cast<std::int32_t>(reader_.u32("integer")));
      return true;
    case Opcode::binint1:
      push(PickleKind::integer, reader_.u8("integer"));
      return true;
    case Opcode::binint2:
      push(PickleKind::integer, reader_.u16("integer"));
      return true;
    case Opcode::long1:
      push_long(reader_.u8("integer"));
      return true;
    case Opcode::long4:
      push_long(reader_.u32("integer"));
      return true;
    case Opcode::binfloat: {
      // The only big-endian number of the format.
      std::uint64_t bits = 0;
      for (int i = 0; i < 8; ++i) bits = bits << 8 | reader_.u8("float");
      push_real(std::bit_cast<double>(bits));
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::text(Opcode opcode) {
  const auto take = [this](std::uint64_t size) { return reader_.take_text(size, "text of a pickle"); };
  switch (opcode) {
    case Opcode::binunicode:
      push_text(PickleKind::text, take(reader_.u32("length")));
      return true;
    case Opcode::short_binunicode:
      push_text(PickleKind::text, take(reader_.u8("length")));
      return true;
    case Opcode::binunicode8:
      push_text(PickleKind::text, take(reader_.u64("length")));
      return true;
    // Python 2's str: torch reads it as UTF-8.
    case Opcode::binstring:
      push_text(PickleKind::text, take(reader_.u32("length")));
      return true;
    case Opcode::short_binstring:
      push_text(PickleKind::text, take(reader_.u8("length")));
      return true;
    case Opcode::binbytes:
      push_text(PickleKind::bytes, take(reader_.u32("length")));
      return true;
    case Opcode::short_binbytes:
      push_text(PickleKind::bytes, take(reader_.u8("length")));
      return true;
    case Opcode::binbytes8:
    case Opcode::bytearray8:
      push_text(PickleKind::bytes, take(reader_.u64("length")));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::sequence(Opcode opcode) {
  const auto tuple = [this](std::size_t size) {
    std::vector<Index> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = pop();
    push_container(PickleKind::tuple, std::move(items));
  };
  switch (opcode) {
    case Opcode::empty_tuple:
      push_container(PickleKind::tuple);
      return true;
    case Opcode::tuple1:
      tuple(1);
      return true;
    case Opcode::tuple2:
      tuple(2);
      return true;
    case Opcode::tuple3:
      tuple(3);
      return true;
    case Opcode::tuple:
      push_container(PickleKind::tuple, pop_to_mark());
      return true;
    case Opcode::empty_list:
      push_container(PickleKind::list);
      return true;
    case Opcode::append:
      extend({pop()}, false);
      return true;
    case Opcode::appends:
      extend(pop_to_mark(), false);
      return true;
    case Opcode::empty_set:
      push_container(PickleKind::set);
      return true;
    case Opcode::frozenset:
      push_container(PickleKind::set, pop_to_mark());
      return true;
    case Opcode::additems:
      extend(pop_to_mark(), false);
      return true;
    default:
      return false;
  }
}

bool PickleMachine::mapping(Opcode opcode) {
  switch (opcode) {
    case Opcode::empty_dict:
      push_container(PickleKind::dict);
      return true;
    case Opcode::setitem: {
      const Index value = pop();
      const Index key = pop();
      extend({key, value}, true);
      return true;
    }
    case Opcode::setitems:
      extend(pop_to_mark(), true);
      return true;
    default:
      return false;
  }
}

bool PickleMachine::call(Opcode opcode) {
  switch (opcode) {
    case Opcode::global: {
      const std::string_view module = reader_.take_line("module name");
      push_global(module, reader_.take_line("global name"));
      return true;
    }
    case Opcode::stack_global: {
      const Index name = pop();
      const Index module = pop();
      push_global(node(module).text(), node(name).text());
      return true;
    }
    case Opcode::reduce:
      reduce();
      return true;
    case Opcode::newobj_ex: {
      const Index keywords = pop();
      if (node(keywords).pairs() != 0) throw error("an object is made with keyword arguments");
      [[fallthrough]];
    }
    case Opcode::newobj: {
      const Index arguments = pop();
      const Index callee = pop();
      push_callee(PickleKind::object, callee, arguments);
      return true;
    }
    case Opcode::build:
      build();
      return true;
    case Opcode::binpersid: {
      const Index id = pop();
      container(push_container(PickleKind::persistent)).callee = id;
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::memo(Opcode opcode) {
  switch (opcode) {
    case Opcode::binput:
      remember(reader_.u8("memo slot"));
      return true;
    case Opcode::long_binput:
      remember(reader_.u32("memo slot"));
      return true;
    case Opcode::memoize:
      remember(memo_.size());
      return true;
    case Opcode::binget:
      recall(reader_.u8("memo slot"));
      return true;
    case Opcode::long_binget:
      recall(reader_.u32("memo slot"));
      return true;
    default:
      return false;
  }
}

PickleMachine::Index PickleMachine::push(PickleKind kind, std::int64_t integer) {
  const auto index = static_cast<Index>(tree_.values_.size());
  tree_.values_.push_back({kind, static_cast<std::uint32_t>(opcode_at_), {integer}});
  stack_.push_back(index);
  return index;
}

PickleMachine::Index PickleMachine::push_real(double value) {
  const Index index = push(PickleKind::real);
  tree_.values_[index].real = value;
  return index;
}

void PickleMachine::push_text(PickleKind kind, std::string_view text) {
  if (kind == PickleKind::text && !is_utf8(text)) throw error("a string of the pickle is not UTF-8");
  tree_.values_[push(kind)].at = tree_.texts_.size();
  tree_.texts_.push_back(text);
}

// Two's complement, little-endian, as few bytes as it takes.
void PickleMachine::push_long(std::uint64_t size) {
  const Bytes bytes = reader_.take(size, "integer");
  if (size > 8) {
    push(PickleKind::big_integer);
    return;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  const bool negative = size > 0 && (static_cast<unsigned>(bytes.back()) & 0x80U) != 0;
  if (negative && size < 8) value |= ~std::uint64_t{0} << (8 * size);
  push(PickleKind::integer, static_cast<std::int64_t>(value));
}

PickleMachine::Index PickleMachine::push_container(PickleKind kind, std::vector<Index> items) {
  const Index index = push(kind);
  tree_.values_[index].at = tree_.containers_.size();
  tree_.containers_.push_back({.items = std::move(items)});
  return index;
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  if (module.empty() || name.empty() || !is_utf8(module) || !is_utf8(name)) {
    throw error("the name of a global is empty or not UTF-8");
  }
  tree_.values_[push(PickleKind::global)].at = tree_.globals_.size();
  tree_.globals_.push_back({module, name});
}

void PickleMachine::push_callee(PickleKind kind, Index callee, Index arguments) {
  // A class may be kept outside the pickle (PyTorch before 1.6); a callable may not.
  const bool is_class_outside = kind == PickleKind::object && node(callee).is(PickleKind::persistent);
  if (!node(callee).is(PickleKind::global) && !is_class_outside) {
    throw error("the pickle calls " + std::string(describe(node(callee).kind())) + "; nothing was run");
  }
  if (!node(arguments).is(PickleKind::tuple)) throw error("a call's arguments are not a tuple");
  PickleTree::Container& made = container(push_container(kind));
  made.callee = callee;
  made.arguments = arguments;
}

PickleMachine::Index PickleMachine::pop() {
  const Index index = top();
  stack_.pop_back();
  return index;
}

PickleMachine::Index PickleMachine::top() const {
  // What lies below the last mark belongs to another container.
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
    throw error("the pickle takes a value that is not there");
  return stack_.back();
}

std::vector<PickleMachine::Index> PickleMachine::pop_to_mark() {
  if (marks_.empty()) throw error("the pickle takes a mark that is not there");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Index> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::extend(std::vector<Index> items, bool pairs) {
  const PickleKind kind = node(top()).kind();
  const bool fits = kind == PickleKind::object ||
                    (pairs ? kind == PickleKind::dict : kind == PickleKind::list || kind == PickleKind::set);
  if (!fits) throw error("items are put into " + std::string(describe(kind)));
  if (pairs && items.size() % 2 != 0) throw error("a key of a dict has no value");
  std::vector<Index>& all = container(top()).items;
  all.insert(all.end(), items.begin(), items.end());
}

void PickleMachine::remember(std::uint64_t slot) {
  memo_[slot] = top();
}

void PickleMachine::recall(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) throw error("memo slot " + std::to_string(slot) + " was never filled");
  stack_.push_back(found->second);
}

}  // namespace tieout
