#include "containers/protobuf/message_reader.h"

#include "fuzz/input.h"

using namespace tieout;

namespace {

// NOLINTNEXTLINE(misc-no-recursion): at most 20 deep.
void walk(protobuf::MessageReader reader, int depth) {
  protobuf::Field field;
  while (reader.next(field)) {
    if (depth == 20) continue;
    fuzz::expect_no_bug([&] { walk(field.message(), depth + 1); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Where where;
  fuzz::expect_no_bug([&] { walk({std::as_bytes(std::span(data, size)), where}, 0); });
  return 0;
}
