// Models that TensorFlow saved as a folder: tf.saved_model.save, Keras 3's model.export, tf-keras'
// model.save.
#include "formats/format.h"

#include <filesystem>
#include <system_error>

#include "formats/saved_model/saved_model.h"

namespace tieout::formats {

namespace {

std::optional<std::string> locate_in_folder(const std::string& path) {
  std::string file = path + "/" + tieout::saved_model::file_name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  return file;
}

}  // namespace

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
          .locate = locate_in_folder};
}

}  // namespace tieout::formats
