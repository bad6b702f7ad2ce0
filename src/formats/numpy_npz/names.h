// Whose weights an .npz holds, as far as its arrays' names tell: the file itself does not say.
#pragma once

#include <optional>
#include <vector>

#include "model/framework_model.h"

namespace tieout::numpy_npz {

// PyTorch, from np.savez(FILE, **{name: tensor.numpy() for name, tensor in module.state_dict().items()}):
//   "features.0.weight", "bn.running_mean".
// Keras, from np.savez(FILE, *model.get_weights()): "arr_0", "arr_1", ...; or from variables by their paths:
//   "dense/kernel", "dense/kernel:0", "bn/moving_mean".
// Nothing when the names are of neither ("w1"), of both, or of words that both use ("bias").
std::optional<Framework> framework_of_names(const std::vector<NamedTensor>& arrays);

// Whether the names are those that np.savez gives: arr_0 to arr_N.
bool are_numbered(const std::vector<NamedTensor>& arrays);

// The arrays' layers, in the order of the file. Keras: a node for each folder of names, without classes; one
// node of nameless parameters, in the order of get_weights(), when the names are numbers: only an
// architecture tells where a layer ends.
std::vector<FrameworkNode> keras_nodes(const std::vector<NamedTensor>& arrays);

}  // namespace tieout::numpy_npz
