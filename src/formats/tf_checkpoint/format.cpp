// TensorFlow checkpoints: PREFIX.index and PREFIX.data-00000-of-00001 (of several, with a size for each), as
// tf.train.Checkpoint and tf.train.Saver (TensorFlow 1) write them.
#include "formats/format.h"

#include "containers/tensor_bundle/table.h"
#include "formats/tf_checkpoint/locate.h"
#include "formats/tf_checkpoint/read.h"
#include "formats/tf_checkpoint/write.h"

namespace tieout::formats {

namespace {

FrameworkModel read_file(const FileRef& file, const ReadOptions& options) {
  tieout::tf_checkpoint::Checkpoint checkpoint = tieout::tf_checkpoint::read_checkpoint(
      file, options.path.empty() ? file->path() : options.path, options);
  FrameworkModel model = tieout::tf_checkpoint::model_of(checkpoint, "tf_checkpoint", file->path());
  for (tieout::tf_checkpoint::FoundLayer& layer : checkpoint.layers)
    model.nodes.push_back(std::move(layer.node));
  return model;
}

}  // namespace

Format tf_checkpoint() {
  return {.name = "tf_checkpoint",
          .title = "TensorFlow checkpoint (.ckpt, .index)",
          .framework = Framework::keras,
          .suffixes = {".index", ".ckpt"},
          .reads =
              "TensorFlow 2's object-based checkpoints of Keras 3 and tf-keras, TensorFlow 1's Saver, "
              "variables cut into slices; a prefix, or a folder with a file named checkpoint.",
          .writes =
              "What tf.train.Checkpoint(model=model).read(PREFIX) restores in Keras 3, and load_weights in "
              "tf-keras; several data files with --max-shard-size.",
          .writes_architecture = false,
          .spreads = true,
          .recognises = [](const MappedFile& file) { return tensor_bundle::is_table(file.bytes()); },
          .read = read_file,
          .write = tieout::tf_checkpoint::write,
          .locate = tieout::tf_checkpoint::locate};
}

}  // namespace tieout::formats
