// Python's pickle machine (CPython, Lib/pickle.py, _Unpickler), with data in the place of objects.
#pragma once

#include <unordered_map>

#include "containers/pickle/opcodes.h"
#include "containers/pickle/pickle_reader.h"

namespace tieout {

class PickleMachine {
 public:
  PickleMachine(const PickleSource& source, const PickleCallables& callables, const Where& where);
  PickleTree run() &&;

 private:
  using Index = PickleTree::Index;
  using Opcode = pickle::Opcode;

  // Each group knows some opcodes and says whether this was one of them.
  bool structure(Opcode opcode);
  bool scalar(Opcode opcode);
  bool text(Opcode opcode);
  bool sequence(Opcode opcode);
  bool mapping(Opcode opcode);
  bool call(Opcode opcode);
  bool memo(Opcode opcode);

  Index push(PickleKind kind, std::int64_t integer = 0);
  Index push_real(double value);
  void push_text(PickleKind kind, std::string_view text);
  void push_long(std::uint64_t size);
  Index push_container(PickleKind kind, std::vector<Index> items = {});
  void push_global(std::string_view module, std::string_view name);
  void push_callee(PickleKind kind, Index callee, Index arguments);

  Index pop();
  [[nodiscard]] Index top() const;
  std::vector<Index> pop_to_mark();
  void extend(std::vector<Index> items, bool pairs);
  void reduce();
  // Of the items of another container. A pickler makes a list for each; copies of one could fill any memory.
  void push_copied(PickleKind kind, std::vector<Index> items);
  void make_dict(const PickleNode& arguments);
  void build();
  void encode_latin1(Index arguments);
  void remember(std::uint64_t slot);
  void recall(std::uint64_t slot);

  [[nodiscard]] PickleNode node(Index index) const { return {tree_, index}; }
  PickleTree::Container& container(Index index) { return tree_.containers_[tree_.values_[index].at]; }
  // At the opcode that is being done.
  [[nodiscard]] Error error(const std::string& message) const;

  PickleTree tree_;
  ByteReader reader_;
  const PickleCallables& callables_;
  std::uint64_t opcode_at_ = 0;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  // A map, since a slot number is a claim of the file: as an array it could ask for gigabytes.
  std::unordered_map<std::uint64_t, Index> memo_;
  bool stopped_ = false;
  std::uint64_t copied_ = 0;  // items, at most as many as bytes were read
};

}  // namespace tieout
