#include "containers/pickle/pickle_writer.h"

#include <limits>
#include <utility>

#include "tieout/error.h"

namespace tieout {

PickleWriter::PickleWriter() : out_("\x80\x02") {}

void PickleWriter::number(std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out_.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

void PickleWriter::integer(std::int64_t value) {
  if (value >= 0 && value <= 0xFF) {
    opcode('K');
    number(static_cast<std::uint64_t>(value), 1);
  } else if (value >= 0 && value <= 0xFFFF) {
    opcode('M');
    number(static_cast<std::uint64_t>(value), 2);
  } else if (value >= std::numeric_limits<std::int32_t>::min() &&
             value <= std::numeric_limits<std::int32_t>::max()) {
    opcode('J');
    number(static_cast<std::uint64_t>(value), 4);
  } else {
    opcode('\x8a');
    number(8, 1);
    number(static_cast<std::uint64_t>(value), 8);
  }
}

void PickleWriter::text(std::string_view value) {
  const std::string key = "text " + std::string(value);
  if (memo_.contains(key)) {
    recall(key);
    return;
  }
  if (value.size() > std::numeric_limits<std::uint32_t>::max())
    throw internal_error("a string of 4 GiB in a pickle");
  opcode('X');
  number(value.size(), 4);
  out_ += value;
  remember(key);
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  const std::string key = "global " + std::string(module) + " " + std::string(name);
  if (memo_.contains(key)) {
    recall(key);
    return;
  }
  opcode('c');
  out_ += std::string(module) + "\n" + std::string(name) + "\n";
  remember(key);
}

void PickleWriter::remember(const std::string& key) {
  const auto slot = static_cast<std::uint32_t>(memo_.size());
  memo_.emplace(key, slot);
  opcode(slot <= 0xFF ? 'q' : 'r');
  number(slot, slot <= 0xFF ? 1 : 4);
}

void PickleWriter::recall(const std::string& key) {
  const std::uint32_t slot = memo_.at(key);
  opcode(slot <= 0xFF ? 'h' : 'j');
  number(slot, slot <= 0xFF ? 1 : 4);
}

std::string PickleWriter::finish() {
  opcode('.');
  return std::move(out_);
}

}  // namespace tieout
