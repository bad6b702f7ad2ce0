// Keras 3 whole models: a zip archive of metadata.json, config.json and model.weights.h5
// (keras/src/saving/saving_lib.py; facts checked with Keras 3.0.5 to 3.15.1).
#include "formats/format.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "containers/hdf5/tree.h"
#include "containers/json/json_text.h"
#include "containers/zip/zip_reader.h"
#include "formats/keras_config/architecture.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/vars_layout.h"
#include "formats/keras_zip/vocabularies.h"
#include "formats/keras_zip/write.h"

namespace tieout::formats {

namespace {

constexpr const char* config_entry = "config.json";
constexpr const char* metadata_entry = "metadata.json";
constexpr const char* weights_entry = "model.weights.h5";
// The largest configurations seen are below 10 MB.
constexpr std::uint64_t max_json_size = std::uint64_t{1} << 28U;

// Keras writes these three first, in any order; the name of an archive's first record stands at byte 30.
bool recognises(const MappedFile& file) {
  if (!ZipReader::recognises(file.bytes())) return false;
  constexpr std::size_t name_offset = 30;
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  if (text.size() < name_offset) return false;
  const std::string_view name = text.substr(name_offset);
  return std::ranges::any_of(std::array{metadata_entry, config_entry, weights_entry, "assets/"},
                             [name](std::string_view expected) { return name.starts_with(expected); });
}

Where where_in(const ZipReader& zip, const char* entry) {
  return {.file = zip.file()->path(), .entry = entry, .offset = {}, .tensor = {}, .layer = {}};
}

Json read_json(const ZipReader& zip, const ZipEntry& entry) {
  const std::vector<std::byte> bytes = zip.read(entry, max_json_size);
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                    where_in(zip, entry.name.c_str()));
}

// The weights as a tree: in place where they are stored, from memory where they are deflated.
hdf5::Group read_weights(const ZipReader& zip) {
  const ZipEntry& entry = zip.get(weights_entry);
  if (entry.method != ZipMethod::stored) {
    throw unsupported("the weights are compressed inside the archive", where_in(zip, weights_entry),
                      "unpack it and zip it again without compression (zip -0)");
  }
  zip.verify(entry);
  return hdf5::read_tree(zip.file(), zip.stored(entry), weights_entry);
}

FrameworkModel read(const FileRef& file, const ReadOptions& /*options*/) {
  const ZipReader zip(file);
  FrameworkModel model;
  model.framework = Framework::keras;
  model.format = "keras_zip";
  model.order = TensorOrder::within_class;
  model.file = file->path();
  if (zip.find(weights_entry) == nullptr && zip.find("model.weights.npz") != nullptr) {
    throw unsupported("weights as model.weights.npz hold pickled objects", where_in(zip, "model.weights.npz"),
                      "save the model with weights as .h5, the default");
  }
  model.document = Json{{"config", read_json(zip, zip.get(config_entry))}};
  if (const ZipEntry* metadata = zip.find(metadata_entry)) {
    const Json values = read_json(zip, *metadata);
    const std::string version = keras::text_member(values, "keras_version");
    if (!version.empty()) model.document["keras_version"] = version;
  }
  keras::state_vocabularies(zip, model.document["config"]);
  const Where where = where_in(zip, config_entry);
  const keras::Architecture architecture =
      keras::read_architecture(model.document.at("config"), {}, model, where);
  const hdf5::Group tree = read_weights(zip);
  keras::read_tensors(tree, model);
  if (architecture.known) {
    keras::assign_parameters(tree, architecture, model, where);
  } else {
    keras::nodes_from_groups(tree, model);
  }
  return model;
}

}  // namespace

Format keras_zip() {
  return {.name = "keras_zip",
          .title = "Keras 3 model (.keras)",
          .framework = Framework::keras,
          .suffixes = {".keras"},
          .reads = "Models of Keras 3 and of tf-keras: configuration, weights, vocabularies.",
          .writes =
              "Models of Keras 3: sequential and functional, with names, trainable flags and the "
              "configuration of a template.",
          .writes_architecture = true,
          .recognises = recognises,
          .read = read,
          .write = keras::write_zip};
}

}  // namespace tieout::formats
