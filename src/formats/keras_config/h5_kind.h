// Telling the two layouts of Keras' HDF5 files apart.
#pragma once

#include "base/mapped_file.h"

namespace tieout::keras {

enum class H5Kind {
  none,            // no HDF5 file
  layers_by_name,  // attributes layer_names and weight_names (src/formats/keras_h5)
  layers_by_class  // groups layers/<class>/vars (src/formats/keras_weights)
};

// Looks at the root group only. Damaged files, and those whose root says nothing, are told apart by the
// name's suffix: .weights.h5 or another.
H5Kind kind_of_h5(const MappedFile& file);

}  // namespace tieout::keras
