// What a pickle holds, as plain data. Nothing in it can be run.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"

namespace tieout {

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  // leaves 64 bits; it has no value here
  real,
  bytes,
  text,
  list,
  tuple,
  set,
  dict,       // OrderedDict too
  global,     // the name of a class or function
  object,     // cls.__new__(cls, *args), as NEWOBJ says, not done
  call,       // callable(*args), as REDUCE says, not done; only callables that the reader was given
  persistent  // what the file keeps outside the pickle, known by its id
};

// "a tuple", "None": for messages.
std::string_view describe(PickleKind kind);

class PickleTree;

// One value of a tree, by reference: values are shared, and a container can hold itself, so whoever descends
// needs a depth limit. Valid as long as the tree. Accessors throw Error(malformed), with the value's place,
// when the value is of another kind.
class PickleNode {
 public:
  PickleNode(const PickleTree& tree, std::uint32_t index) : tree_(&tree), index_(index) {}

  [[nodiscard]] PickleKind kind() const;
  [[nodiscard]] bool is(PickleKind kind) const { return this->kind() == kind; }
  [[nodiscard]] std::uint32_t index() const { return index_; }  // equal for the same value only

  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] double real() const;
  [[nodiscard]] std::string_view text() const;  // UTF-8
  [[nodiscard]] std::string_view bytes() const;

  // list, tuple, set. What was appended to an object, too.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] PickleNode item(std::size_t i) const;

  // dict: pairs in file order. What was set on an object, too. A key can stand twice; the last one counts.
  [[nodiscard]] std::size_t pairs() const;
  [[nodiscard]] PickleNode key(std::size_t i) const;
  [[nodiscard]] PickleNode value(std::size_t i) const;
  [[nodiscard]] std::optional<PickleNode> find(std::string_view key) const;

  // global: "torch.nn.modules.conv" and "Conv2d". object, call: of the class or callable. Where that is a
  // persistent id, of the class that the id names (PyTorch before 1.6: ('module', class, file, source));
  // "(outside)" when it names none.
  [[nodiscard]] std::string_view module() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string full_name() const;  // "torch.nn.modules.conv.Conv2d"
  [[nodiscard]] bool is_global(std::string_view full_name) const;
  [[nodiscard]] bool is_call(std::string_view full_name) const;

  // object, call: a tuple.
  [[nodiscard]] PickleNode arguments() const;
  // object, call, dict: what BUILD gave it.
  [[nodiscard]] std::optional<PickleNode> state() const;
  // persistent.
  [[nodiscard]] PickleNode id() const;

  // Error(malformed) at the place in the file where the value was made.
  [[nodiscard]] Error error(const std::string& message) const;

 private:
  void expect(PickleKind kind) const;
  [[nodiscard]] std::optional<PickleNode> naming() const;

  const PickleTree* tree_;
  std::uint32_t index_;
};

class PickleTree {
 public:
  PickleTree() = default;
  PickleTree(PickleTree&&) = default;
  PickleTree& operator=(PickleTree&&) = default;
  PickleTree(const PickleTree&) = delete;  // nodes point to the tree
  PickleTree& operator=(const PickleTree&) = delete;

  [[nodiscard]] PickleNode root() const { return {*this, root_}; }
  // All values of kind persistent, in the order in which they were made.
  [[nodiscard]] std::vector<PickleNode> persistent() const { return all(PickleKind::persistent); }
  // All globals that the pickle names, in that order; one that is named twice can come twice.
  [[nodiscard]] std::vector<PickleNode> globals() const { return all(PickleKind::global); }
  // Bytes of the source that the pickle took.
  [[nodiscard]] std::uint64_t length() const { return length_; }

 private:
  friend class PickleNode;
  friend class PickleMachine;
  using Index = std::uint32_t;
  static constexpr Index nothing = 0xFFFFFFFF;

  [[nodiscard]] std::vector<PickleNode> all(PickleKind kind) const;

  // Small, since one byte of a pickle can make one.
  struct Value {
    PickleKind kind;
    std::uint32_t offset;  // in the pickle
    union {
      std::int64_t integer;
      double real;
      std::size_t at;  // in the table of its kind
    };
  };
  struct Global {
    std::string_view module;
    std::string_view name;
  };
  struct Container {
    std::vector<Index> items;  // dict: key, value, key, value, ...
    Index callee = nothing;    // object, call: a global; persistent: the id
    Index arguments = nothing;
    Index state = nothing;
  };

  Where where_;
  std::shared_ptr<const void> owner_;  // of the source, which the views point into
  std::uint64_t base_ = 0;             // the source's offset in the file
  std::list<std::string> made_;        // bytes that were not in the source as they are
  std::vector<Value> values_;
  std::vector<std::string_view> texts_;
  std::vector<Global> globals_;
  std::vector<Container> containers_;
  Index root_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace tieout
