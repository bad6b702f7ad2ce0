// Reading the parts of one entry of a configuration's list of layers.
#pragma once

#include <optional>

#include "formats/keras_config/architecture.h"
#include "formats/keras_config/names.h"

namespace tieout::keras {

// `counter` names layers that have no name of their own, as Keras does.
LayerEntry read_layer_entry(const Json& entry, const std::set<std::string>& layer_names, Counter& counter,
                            const Where& where);

// The entry's "config"; an empty object when it has none.
Json config_of(const Json& entry);

// The input that an InputLayer, or the first layer of a Sequential, states by batch_shape or (Keras 2)
// batch_input_shape; nothing when it states none.
std::optional<ModelInput> read_input(const std::string& name, const Json& config, const Where& where);

// [null, 28, 28, 1] -> (unknown, 28, 28, 1); Error(malformed) for anything but sizes and null.
Shape read_shape(const Json& shape, const Where& where);

}  // namespace tieout::keras
