#include "formats/keras_zip/write.h"

#include "containers/hdf5/writer.h"
#include "containers/zip/zip_writer.h"
#include "formats/keras_config/build_config.h"
#include "formats/keras_config/document.h"
#include "formats/keras_config/vars_layout.h"

namespace tieout::keras {

namespace {

// The same moment as the archive's time stamps: the same model gives the same bytes.
constexpr const char* date_saved = "1980-01-01@00:00:00";

std::string version_of(const FrameworkModel& model) {
  const std::string version = text_member(model.document, "keras_version");
  return version.empty() ? written_version : version;
}

}  // namespace

Outputs write_zip(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  const Json config = config_for_zip(model);
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  hdf5::Writer writer(path);
  write_vars_layout(model, writer);
  ZipWriter zip(*outputs.front());
  const Json metadata{{"keras_version", version_of(model)}, {"date_saved", date_saved}};
  zip.add("metadata.json", metadata.dump());
  zip.add("config.json", config.dump());
  zip.add("model.weights.h5", writer.finish());
  zip.finish(options.payload);
  return outputs;
}

}  // namespace tieout::keras
