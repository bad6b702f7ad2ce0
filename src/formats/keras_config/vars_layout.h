// The weights layout of Keras 3 (model.weights.h5 in a .keras, and .weights.h5;
// keras/src/saving/saving_lib.py): layers/<name>/vars/<i>, where <name> is the snake case of the layer's
// class, counted in the order of model.layers, and <i> counts the layer's own variables. Sublayers lie under
// the attribute that holds them (cell/vars/0, query_dense/vars/0). The attribute "name" of a vars group is
// the layer's own name (Keras >= 3.6).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "containers/hdf5/tree.h"
#include "containers/hdf5/writer.h"
#include "formats/keras_config/architecture.h"

namespace tieout::keras {

// All tensors under their full names ("layers/conv2d/vars/0"), in the tree's order.
void read_tensors(const hdf5::Group& tree, FrameworkModel& model);

// Gives the nodes of `model` their parameters, in the order of the layer's `weights` in Keras.
// Error(malformed) when the name that a group states is not that of the layer to which its place belongs.
void assign_parameters(const hdf5::Group& tree, const Architecture& architecture, FrameworkModel& model,
                       const Where& where);

// Without an architecture: one node for each group of layers/ (or of the root, for subclassed models) that
// holds tensors, named as its "name" says or else as the group.
void nodes_from_groups(const hdf5::Group& tree, FrameworkModel& model);

// One group of variables, as it is to be written.
struct VarsGroup {
  std::string path;                 // "layers/dense/vars", "layers/lstm/cell/vars"
  std::optional<std::string> name;  // of the layer, for the group of its own variables
  std::vector<std::pair<std::string, LazyTensor>> variables;  // "0", "1", ...
};

// The model's groups, those of layers without variables included. A model that was read from this layout (its
// document is the file's, or it has no architecture) keeps its names; for any other the names follow from the
// graph, the order of model.layers being computed as Keras will. Error(unsupported) when a layer's class or a
// variable's path is not known.
std::vector<VarsGroup> vars_groups(const FrameworkModel& model);

// Writes them all into one file.
void write_vars_layout(const FrameworkModel& model, hdf5::Writer& writer);
// One group, as far as `variables` says.
void write_vars_group(const VarsGroup& group, hdf5::Writer& writer);

}  // namespace tieout::keras
