// keras_metadata.pb, which tf-keras leaves in a SavedModel: the configurations of the model and of its layers
// (tf_keras/src/protobuf/saved_metadata.proto).
//
//   SavedMetadata {1: nodes {2: node_id, 3: node_path, 4: identifier, 5: metadata, 6: version}}
//
// node_path leads from the model through the names of the object graph: "root.layer_with_weights-0". metadata
// is JSON with "name", "class_name" and "config"; tuples and shapes in it are {"class_name": "__tuple__",
// "items": [...]}.
#pragma once

#include <map>
#include <string>

#include "base/mapped_file.h"
#include "model/framework_model.h"

namespace tieout::saved_model {

struct KerasMetadata {
  Json model;                                // {"class_name", "config"}, tuples and shapes as lists
  std::map<std::string, std::string> names;  // of layers, by their paths
};

// Error(malformed) for damage, and when the model itself is not in it.
KerasMetadata read_keras_metadata(const MappedFile& file);

}  // namespace tieout::saved_model
