// The architecture that a Keras file gets.
#pragma once

#include "model/framework_model.h"

namespace tieout::keras {

// Keras' limits on what it calls a model or a layer: no slash, not empty.
bool is_valid_name(const std::string& name);

// config.json: the model's document where it has one, otherwise built from its nodes: a Sequential when they
// are a chain of layers from one input, else a Functional. Each node's settings are the layer's config;
// "name", "trainable" and, for models of another float type than float32, "dtype" are added.
// Error(unsupported) when the model has no architecture, when an input's shape is not known (Keras could not
// make the variables), and for the document of a Keras 2 file, which Keras 3 would not load.
Json config_for_zip(const FrameworkModel& model);

// The same as the attribute model_config of a .h5; documents of Keras 2 stay what they are.
Json config_for_h5(const FrameworkModel& model);

}  // namespace tieout::keras
