#include "formats/keras_config/h5_kind.h"

#include "containers/hdf5/root.h"
#include "containers/hdf5/superblock.h"

namespace tieout::keras {

H5Kind kind_of_h5(const MappedFile& file) {
  if (!hdf5::has_signature(file.bytes())) return H5Kind::none;
  for (const std::string& name : hdf5::root_names(file.bytes())) {
    if (name == "model_weights" || name == "model_config" || name.starts_with("layer_names")) {
      return H5Kind::layers_by_name;
    }
    if (name == "layers" || name == "vars" || name == "_layer_checkpoint_dependencies") {
      return H5Kind::layers_by_class;
    }
  }
  return file.path().ends_with(".weights.h5") ? H5Kind::layers_by_class : H5Kind::layers_by_name;
}

}  // namespace tieout::keras
