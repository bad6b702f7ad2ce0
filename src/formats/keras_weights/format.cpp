// Keras 3 weights without an architecture (.weights.h5), the layout of formats/keras_config/vars_layout.h.
#include "formats/format.h"

#include "containers/hdf5/tree.h"
#include "containers/hdf5/writer.h"
#include "formats/keras_config/h5_kind.h"
#include "formats/keras_config/vars_layout.h"

namespace tieout::formats {

namespace {

FrameworkModel read(const FileRef& file, const ReadOptions& /*options*/) {
  FrameworkModel model;
  model.framework = Framework::keras;
  model.format = "keras_weights";
  model.order = TensorOrder::within_class;
  model.file = file->path();
  const hdf5::Group tree = hdf5::read_tree(file, file->bytes(), {});
  keras::read_tensors(tree, model);
  keras::nodes_from_groups(tree, model);
  return model;
}

Outputs write(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  hdf5::Writer writer(path);
  keras::write_vars_layout(model, writer);
  write_whole(*outputs.front(), writer.finish(), options.payload);
  return outputs;
}

}  // namespace

Format keras_weights() {
  return {
      .name = "keras_weights",
      .title = "Keras 3 weights (.weights.h5)",
      .framework = Framework::keras,
      .suffixes = {".weights.h5"},
      .reads = "Weights without an architecture: layers are known by their groups.",
      .writes = "The layout that load_weights reads, of Keras 3 and of tf-keras.",
      .writes_architecture = false,
      .recognises =
          [](const MappedFile& file) { return keras::kind_of_h5(file) == keras::H5Kind::layers_by_class; },
      .read = read,
      .write = write};
}

}  // namespace tieout::formats
