#include "containers/json/json_text.h"

#include "fuzz/input.h"

using namespace tieout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::expect_no_bug([&] {
    static_cast<void>(parse_json({reinterpret_cast<const char*>(data), size}, {}));
  });
  return 0;
}
