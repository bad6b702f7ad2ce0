// One format's way of a file: read, and tensors loaded. TIEOUT_FORMAT is the format's name.
#include "formats/format.h"
#include "fuzz/input.h"

using namespace tieout;

namespace tieout::formats {
Format TIEOUT_FORMAT();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Format format = formats::TIEOUT_FORMAT();
  const fuzz::File file(std::as_bytes(std::span(data, size)));
  const FileRef mapped = file.map();
  if (!format.recognises(*mapped)) return -1;
  fuzz::expect_no_bug([&] {
    fuzz::load(format.read(mapped, {}).tensors);
    if (format.code) static_cast<void>(format.code(mapped));
  });
  return 0;
}
