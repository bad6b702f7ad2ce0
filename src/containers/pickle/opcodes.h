// The opcodes of Python's pickle, protocols 2 to 5 (CPython, Lib/pickletools.py).
//
// Left out on purpose, so that they are refused: the text opcodes of protocols 0 and 1, INST and OBJ, the
// extension registry, and buffers that live outside the pickle.
#pragma once

#include <cstdint>

namespace tieout::pickle {

enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  dup = '2',
  none = 'N',
  new_true = 0x88,
  new_false = 0x89,
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  long1 = 0x8A,
  long4 = 0x8B,
  binfloat = 'G',
  binstring = 'T',
  short_binstring = 'U',
  binbytes = 'B',
  short_binbytes = 'C',
  binbytes8 = 0x8E,
  bytearray8 = 0x96,
  binunicode = 'X',
  short_binunicode = 0x8C,
  binunicode8 = 0x8D,
  empty_list = ']',
  append = 'a',
  appends = 'e',
  empty_tuple = ')',
  tuple = 't',
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  empty_dict = '}',
  setitem = 's',
  setitems = 'u',
  empty_set = 0x8F,
  additems = 0x90,
  frozenset = 0x91,
  global = 'c',
  stack_global = 0x93,
  reduce = 'R',
  newobj = 0x81,
  newobj_ex = 0x92,
  build = 'b',
  binpersid = 'Q',
  binput = 'q',
  long_binput = 'r',
  memoize = 0x94,
  binget = 'h',
  long_binget = 'j',
  proto = 0x80,
  frame = 0x95
};

constexpr std::uint8_t lowest_protocol = 2;
constexpr std::uint8_t highest_protocol = 5;

}  // namespace tieout::pickle
