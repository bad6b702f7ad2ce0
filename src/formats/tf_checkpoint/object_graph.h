// The object graph of a TensorFlow 2 checkpoint: which Python object held which variable
// (tensorflow/core/protobuf/trackable_object_graph.proto). It is the string scalar
// _CHECKPOINTABLE_OBJECT_GRAPH.
//
//   TrackableObjectGraph {1: nodes {1: children {1: node_id, 2: local_name},
//                                   2: attributes {1: name, 2: full_name, 3: checkpoint_key},
//                                   3: slot_variables}}
//
// Object 0 is the checkpoint itself, or what was saved. Slot variables, of the optimizers before Keras 2.11,
// are not read: they belong to no layer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tieout/error.h"

namespace tieout::tf_checkpoint {

constexpr const char* graph_key = "_CHECKPOINTABLE_OBJECT_GRAPH";

struct TrackedVariable {
  std::string full_name;  // "sequential/dense/kernel"; of the Keras that wrote it
  std::string key;        // in the checkpoint
};

struct TrackedObject {
  struct Child {
    std::size_t object = 0;
    std::string name;
  };
  std::vector<Child> children;
  std::optional<TrackedVariable> variable;  // when it is one

  [[nodiscard]] bool has_child(std::string_view name) const;
};

using ObjectGraph = std::vector<TrackedObject>;

// Error(malformed) for children that are not there, and for a graph without objects.
ObjectGraph read_object_graph(std::string_view proto, const Where& where);
std::string to_proto(const ObjectGraph& graph);

// The key of a variable, and the name that its tensor has in a FrameworkModel:
// "d/a.Sb/.ATTRIBUTES/VARIABLE_VALUE" is "d/a/b" (tensorflow/python/checkpoint/trackable_view.py,
// escape_local_name). Other keys are names as they are.
std::string name_of_key(const std::string& key);
// The key of the object's child under `path`, whose names are escaped.
std::string key_of_path(const std::vector<std::string>& path);

}  // namespace tieout::tf_checkpoint
