#include "containers/pickle/pickle_reader.h"

#include "fuzz/input.h"

using namespace tieout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  fuzz::expect_no_bug([&] {
    PickleCallables callables = plain_callables();
    callables.emplace("torch._utils._rebuild_tensor_v2", PickleRole::call);
    const PickleTree tree = read_pickle({bytes.begin(), bytes.end()}, callables, {});
    const PickleNode root = tree.root();
    if (root.is(PickleKind::dict)) {
      for (std::size_t i = 0; i < root.pairs(); ++i) static_cast<void>(root.key(i).text());
    }
  });
  return 0;
}
