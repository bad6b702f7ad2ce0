// Keras .h5 whole models as Keras 2 and 3 write them, and weights-only .h5 of Keras 2.
#include "formats/format.h"

#include "formats/keras_config/h5_kind.h"
#include "formats/keras_h5/read.h"
#include "formats/keras_h5/write.h"

namespace tieout::formats {

Format keras_h5() {
  return {
      .name = "keras_h5",
      .title = "Keras model or weights (.h5)",
      .framework = Framework::keras,
      .suffixes = {".h5", ".hdf5"},
      .reads =
          "Models and weights files of Keras 2 and 3 in the older layout: sequential, functional and nested "
          "models; a training configuration and optimizer state are left alone.",
      .writes =
          "Models with their configuration, as Keras 3 saves them; Keras 2 files from templates of Keras 2.",
      .writes_architecture = true,
      .recognises =
          [](const MappedFile& file) { return keras::kind_of_h5(file) == keras::H5Kind::layers_by_name; },
      .read = keras::read_h5,
      .write = keras::write_h5};
}

}  // namespace tieout::formats
