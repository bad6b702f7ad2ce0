#include "containers/npy/npy.h"

#include "containers/zip/zip_reader.h"
#include "fuzz/input.h"

using namespace tieout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const fuzz::File file(bytes);
  fuzz::expect_no_bug([&] {
    if (ZipReader::recognises(bytes)) {
      fuzz::load(read_npz(file.map()));
    } else {
      fuzz::load(std::vector<NamedTensor>{{"", read_npy(file.map())}});
    }
  });
  return 0;
}
