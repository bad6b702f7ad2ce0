// Reading Python pickles without running them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "containers/pickle/pickle_tree.h"

namespace tieout {

// What calling a global (REDUCE) gives.
enum class PickleRole {
  dict,          // collections.OrderedDict(), or of a list of pairs: a dict
  set,           // set([...]): a set
  latin1_bytes,  // _codecs.encode(text, "latin1"): how protocol 2 spells bytes
  first,         // the one argument itself: torch.Size((2, 3)) is (2, 3)
  call           // PickleKind::call, for whoever reads the tree
};

// By full name, "collections.OrderedDict".
using PickleCallables = std::map<std::string, PickleRole, std::less<>>;

// Those that Python itself needs for plain data.
PickleCallables plain_callables();

// Reads one pickle, protocol 2 to 5, that fills `source` wholly. Error(malformed), with the byte offset, for
// anything that is damaged, for opcodes that are not data, and for a call of a global that `callables` does
// not list: the message names it. Nothing is ever looked up or run. `where`: the file, and the record in it.
PickleTree read_pickle(std::vector<std::byte> source, const PickleCallables& callables, const Where& where);

// Bytes that lie in memory which `owner` keeps alive. `offset` is that of the first one in the file, for
// messages.
struct PickleSource {
  Bytes bytes;
  std::shared_ptr<const void> owner;
  std::uint64_t offset = 0;
};

// The same for a pickle that other bytes follow; the tree knows its length.
PickleTree read_leading_pickle(const PickleSource& source, const PickleCallables& callables,
                               const Where& where);

}  // namespace tieout
