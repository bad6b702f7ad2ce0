#include "formats/tf_checkpoint/object_graph.h"

#include "formats/tf_checkpoint/layers.h"
#include "fuzz/input.h"

using namespace tieout;

// The graph in a checkpoint's data file, and the layers that are found in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view proto(reinterpret_cast<const char*>(data), size);
  fuzz::expect_no_bug([&] {
    const tf_checkpoint::ObjectGraph graph = tf_checkpoint::read_object_graph(proto, {});
    static_cast<void>(tf_checkpoint::find_layers(graph, {}));
    static_cast<void>(tf_checkpoint::to_proto(graph));
  });
  return 0;
}
