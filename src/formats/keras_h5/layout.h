// The older layout of Keras' .h5 files (keras/src/legacy/saving/legacy_h5_format.py). A whole model:
//   root attributes  model_config, keras_version, backend, training_config
//   model_weights    attributes layer_names, backend, keras_version
//     <layer>        attribute weight_names; one dataset for each, at its name ("dense/kernel" makes a group)
//   optimizer_weights
// A file of weights only has the content of model_weights at its root. Names of weights are but addresses:
// their order in weight_names says what they are.
#pragma once

namespace tieout::keras {

inline constexpr const char* config_attribute = "model_config";
inline constexpr const char* training_attribute = "training_config";
inline constexpr const char* version_attribute = "keras_version";
inline constexpr const char* backend_attribute = "backend";
inline constexpr const char* layers_attribute = "layer_names";
inline constexpr const char* weights_attribute = "weight_names";
inline constexpr const char* weights_group = "model_weights";
inline constexpr const char* optimizer_group = "optimizer_weights";

}  // namespace tieout::keras
