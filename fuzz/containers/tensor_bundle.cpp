#include "containers/tensor_bundle/table.h"

#include "fuzz/input.h"

using namespace tieout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::expect_no_bug(
      [&] { static_cast<void>(tensor_bundle::read_table(std::as_bytes(std::span(data, size)), {})); });
  return 0;
}
