// Models that TensorFlow saved as a folder: tf.saved_model.save, Keras 3's model.export, tf-keras'
// model.save.
#include "formats/format.h"

#include "formats/folder.h"
#include "formats/saved_model/saved_model.h"

namespace tieout::formats {

Format saved_model() {
  return {.name = "saved_model",
          .title = "TensorFlow SavedModel (folder)",
          .framework = Framework::keras,
          .suffixes = {".pb"},
          .reads =
              "The folder's weights, of model.export(), tf.saved_model.save and tf-keras; the architecture "
              "too where tf-keras left keras_metadata.pb.",
          .writes_architecture = false,
          .recognises = tieout::saved_model::recognises,
          .read = tieout::saved_model::read,
          .write = nullptr,
          .locate = first_in_folder({tieout::saved_model::file_name})};
}

}  // namespace tieout::formats
