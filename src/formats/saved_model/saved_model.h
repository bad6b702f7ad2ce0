// TensorFlow's SavedModel: a folder with saved_model.pb (graphs and objects,
// tensorflow/core/protobuf/saved_model.proto), a checkpoint of the variables in variables/ and, from
// tf-keras, keras_metadata.pb. The functions' graphs are not read: a SavedModel without Keras' metadata gives
// its weights only.
//
//   SavedModel {1: saved_model_schema_version, 2: meta_graphs}
#pragma once

#include "formats/format.h"

namespace tieout::saved_model {

inline constexpr const char* file_name = "saved_model.pb";

// Whether the file begins as TensorFlow writes it: the version of the schema, then a meta graph.
bool recognises(const MappedFile& file);

// See Format::read. The layers are those of the variables' object graph (formats/tf_checkpoint/layers.h).
FrameworkModel read(const FileRef& file, const ReadOptions& options);

}  // namespace tieout::saved_model
