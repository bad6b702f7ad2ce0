#include "formats/keras_config/h5_kind.h"

#include "containers/hdf5/root.h"
#include "containers/hdf5/superblock.h"
#include "containers/zip/zip_reader.h"

namespace tieout::keras {

H5Kind kind_of_h5(const MappedFile& file) {
  // An HDF5 file may begin at 512, 1024, ...: so may one that a .keras holds.
  if (ZipReader::recognises(file.bytes()) || !hdf5::has_signature(file.bytes())) return H5Kind::none;
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
