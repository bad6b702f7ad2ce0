// The form of FrameworkModel::document that the three Keras formats share, so that each can write what
// another has read:
//
//   {"config": the architecture: config.json of a .keras, the attribute model_config of a .h5,
//    "keras_version": "3.15.1",        of the library that wrote the file; may be missing
//    "backend": "tensorflow",          .h5 only
//    "training_config": {...},         .h5 only: the compile arguments (a .keras has them in "config")
//    "layer_names": ["conv2d", ...]}   .h5 only: the attribute of model_weights, layers without weights
//    included
#pragma once

#include <string>

#include "model/framework_model.h"

namespace tieout::keras {

// The version that new files are written for.
inline constexpr const char* written_version = "3.15.1";

// The member, or nullptr when `object` is no object or has none of that name.
const Json* member(const Json& object, const char* name);
// The member when it is text; empty otherwise.
std::string text_member(const Json& object, const char* name);

// The major version of the Keras that wrote the document; 3 when it does not say.
int keras_major(const Json& document);

}  // namespace tieout::keras
