#include "containers/hdf5/tree.h"

#include "fuzz/input.h"

using namespace tieout;

namespace {

// NOLINTNEXTLINE(misc-no-recursion): as deep as the file's groups, which are bounded.
void load(const hdf5::Group& group) {
  for (const hdf5::Dataset& dataset : group.datasets)
    fuzz::load(std::vector<NamedTensor>{{dataset.name, dataset.tensor}});
  for (const hdf5::Group& inner : group.groups) load(inner);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(std::as_bytes(std::span(data, size)));
  fuzz::expect_no_bug([&] {
    const FileRef mapped = file.map();
    load(hdf5::read_tree(mapped, mapped->bytes(), {}));
  });
  return 0;
}
