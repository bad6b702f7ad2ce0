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

// Copies in pieces, so that the weights are never in memory as a whole.
void add_file(ZipWriter& zip, const std::string& name, const MappedFile& file) {
  constexpr std::size_t piece = std::size_t{1} << 20U;
  zip.begin(name, file.bytes().size());
  for (Bytes rest = file.bytes(); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
    zip.write(rest.first(std::min(piece, rest.size())));
  }
  zip.end();
}

}  // namespace

Outputs write_zip(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  const Json config = config_for_zip(model);
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  // Never committed: libhdf5 writes by name, and what it wrote goes into the archive.
  const OutputFile weights(path, true);
  hdf5::Writer writer(weights);
  write_vars_layout(model, writer);
  writer.close();
  ZipWriter zip(*outputs.front());
  const Json metadata{{"keras_version", version_of(model)}, {"date_saved", date_saved}};
  zip.add("metadata.json", metadata.dump());
  zip.add("config.json", config.dump());
  add_file(zip, "model.weights.h5", MappedFile(weights.temporary_path()));
  zip.finish();
  return outputs;
}

}  // namespace tieout::keras
