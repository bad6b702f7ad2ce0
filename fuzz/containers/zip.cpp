#include "containers/zip/zip_reader.h"

#include "fuzz/input.h"

using namespace tieout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(std::as_bytes(std::span(data, size)));
  fuzz::expect_no_bug([&] {
    const ZipReader zip(file.map());
    for (const ZipEntry& entry : zip.entries()) static_cast<void>(zip.read(entry, 1 << 20));
  });
  return 0;
}
