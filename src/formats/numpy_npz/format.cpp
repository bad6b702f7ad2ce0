// NumPy's .npz as weights: arrays by name, without architecture. NumPy's pickled objects are refused.
#include "formats/format.h"

#include <algorithm>
#include <set>

#include "containers/npy/npy.h"
#include "containers/zip/zip_reader.h"
#include "formats/numpy_npz/names.h"
#include "formats/torch_groups.h"

namespace tieout::formats {

namespace {

bool recognises_file(const MappedFile& file) {
  if (is_npy(file.bytes())) return true;
  if (!ZipReader::recognises(file.bytes())) return false;
  try {
    const std::shared_ptr<const MappedFile> borrowed(&file, [](const MappedFile*) {});
    const ZipReader zip(borrowed);
    return std::ranges::all_of(zip.entries(),
                               [](const ZipEntry& entry) { return entry.name.ends_with(".npy"); });
  } catch (const Error&) {
    return false;
  }
}

// The key that names the framework where the names do not, or nothing.
std::optional<Framework> framework_of_key(const std::string& key) {
  if (key == "torch") return Framework::torch;
  if (key == "keras") return Framework::keras;
  return std::nullopt;
}

Framework framework_of(const FrameworkModel& model, const ReadOptions& options) {
  if (const auto said = framework_of_key(options.key)) return *said;
  if (const auto found = numpy_npz::framework_of_names(model.tensors)) return *found;
  // Only PyTorch's names are written, whatever words are in them.
  if (!options.path.empty()) return Framework::torch;
  throw usage_error(model.file + " holds arrays whose names are neither PyTorch's nor Keras'",
                    "say whose weights they are with --key torch or --key keras");
}

// A state_dict's names have dots where NumPy's may have the slashes of nested dicts.
void name_as_state_dict(FrameworkModel& model) {
  std::set<std::string> names;
  for (NamedTensor& named : model.tensors) {
    std::ranges::replace(named.name, '/', '.');
    if (!names.insert(named.name).second) {
      throw malformed("two arrays have the name '" + named.name + "'",
                      {.file = model.file, .entry = {}, .offset = {}, .tensor = named.name, .layer = {}});
    }
  }
}

FrameworkModel read_file(const FileRef& file, const ReadOptions& options) {
  if (is_npy(file->bytes())) {
    throw unsupported("a single array has no name, so nothing says whose weight it is",
                      {.file = file->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "save the arrays of a model by name in one file: numpy.savez(FILE, **{name: array})");
  }
  FrameworkModel model;
  model.format = "numpy_npz";
  model.file = file->path();
  model.tensors = read_npz(file);
  if (options.key == ".") return model;  // listed only
  model.framework = framework_of(model, options);
  if (model.framework == Framework::torch) {
    name_as_state_dict(model);
    model.nodes = group_tensors(model.tensors);
  } else {
    model.nodes = numpy_npz::keras_nodes(model.tensors);
  }
  return model;
}

Outputs write_file(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  write_npz(*outputs.back(), tensors_to_write(model), options.payload);
  return outputs;
}

}  // namespace

Format numpy_npz() {
  return {
      .name = "numpy_npz",
      .title = "NumPy arrays by name (.npz), those of a state_dict when written",
      .framework = Framework::torch,
      .suffixes = {".npz"},
      .reads =
          "Arrays of either framework, by their names: a state_dict's, Keras variables', or get_weights() in "
          "order (arr_0, arr_1); --key torch or --key keras where the names do not tell.",
      .writes = "A state_dict's arrays; types that NumPy does not have are refused by name.",
      .recognises = recognises_file,
      .read = read_file,
      .write = write_file};
}

}  // namespace tieout::formats
