// Reading a checkpoint, alone or as the variables of a SavedModel.
#pragma once

#include "formats/format.h"
#include "formats/tf_checkpoint/layers.h"

namespace tieout::tf_checkpoint {

struct Checkpoint {
  std::vector<NamedTensor> tensors;  // all, by the names of their keys
  std::vector<FoundLayer> layers;    // `path` is empty where the file has no graph
  Findings findings;
  // FrameworkModel::document: {"object_graph": the proto}, null where there is none.
  Json document;
};

// `path` is the index's (see ReadOptions). Of the graph, only the layers under the object options.key
// ("generator", "trainer/model") when it is given.
Checkpoint read_checkpoint(const FileRef& index, const std::string& path, const ReadOptions& options);

// The model with all of the checkpoint but its layers, which are left there. Without an object graph,
// variables have names only, and no order.
FrameworkModel model_of(Checkpoint& checkpoint, const std::string& format, const std::string& file);

// The graph in a document, nullopt when it has none.
std::optional<ObjectGraph> graph_of(const FrameworkModel& model);

}  // namespace tieout::tf_checkpoint
