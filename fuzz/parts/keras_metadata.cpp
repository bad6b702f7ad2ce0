#include "formats/saved_model/keras_metadata.h"

#include "formats/keras_config/architecture.h"
#include "fuzz/input.h"

using namespace tieout;

// The architecture beside a SavedModel, as far as it can be read without the weights.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(std::as_bytes(std::span(data, size)));
  fuzz::expect_no_bug([&] {
    const saved_model::KerasMetadata metadata = saved_model::read_keras_metadata(*file.map());
    FrameworkModel model;
    Where where;
    static_cast<void>(keras::read_architecture(metadata.model, {}, model, where));
  });
  return 0;
}
