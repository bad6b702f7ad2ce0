// Writing Python pickles, protocol 2: what PyTorch's weights_only loader reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tieout {

// Writes opcodes in the order of the calls: values push themselves, the others take what was pushed before
// (CPython, Lib/pickletools.py). The caller keeps the stack right.
class PickleWriter {
 public:
  PickleWriter();

  void none() { opcode('N'); }
  void boolean(bool value) { opcode(value ? '\x88' : '\x89'); }
  void integer(std::int64_t value);
  void text(std::string_view value);                            // UTF-8; written once, then by memo
  void global(std::string_view module, std::string_view name);  // the same

  void mark() { opcode('('); }
  void tuple() { opcode('t'); }  // of all since the mark
  void empty_tuple() { opcode(')'); }
  void empty_dict() { opcode('}'); }
  void set_items() { opcode('u'); }      // keys and values since the mark, into the dict below it
  void reduce() { opcode('R'); }         // callable, tuple of arguments
  void build() { opcode('b'); }          // object, state
  void persistent_id() { opcode('Q'); }  // id

  // STOP; the pickle.
  std::string finish();

 private:
  void opcode(char byte) { out_.push_back(byte); }
  void number(std::uint64_t value, int size);
  void remember(const std::string& key);
  void recall(const std::string& key);

  std::string out_;
  std::map<std::string, std::uint32_t> memo_;
};

}  // namespace tieout
