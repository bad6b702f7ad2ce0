// safetensors: tensors by name, PyTorch's names in PyTorch's layout.
#include "formats/format.h"

#include "containers/json/json_text.h"
#include "formats/safetensors/header.h"
#include "formats/safetensors/module_order.h"
#include "formats/safetensors/writer.h"
#include "formats/torch_groups.h"
#include "formats/torch_source/torch_source.h"
#include "model/architecture_json.h"

namespace tieout::formats {

namespace {

// tieout's entry in __metadata__; the library carries unknown entries along.
constexpr std::string_view architecture_key = "tieout";

// No magic number: a length that fits, and the first byte of a JSON object. A file that is cut still begins
// so.
bool recognises_file(const MappedFile& file) {
  constexpr std::size_t length_size = sizeof(std::uint64_t);
  if (file.bytes().size() <= length_size) return false;
  ByteReader reader(file.bytes(), {});
  return reader.u64() <= tieout::safetensors::largest_header && reader.u8() == '{';
}

FrameworkModel read_file(const FileRef& file, const ReadOptions& /*options*/) {
  FrameworkModel model;
  model.framework = Framework::torch;
  model.format = "safetensors";
  model.order = TensorOrder::by_name;
  model.file = file->path();
  tieout::safetensors::Header header = tieout::safetensors::read_header(file);
  model.tensors = std::move(header.tensors);
  add_aliases({header.metadata.begin(), header.metadata.end()}, model);
  model.nodes = group_tensors(tieout::safetensors::in_module_order(model.tensors));
  for (const auto& [key, value] : header.metadata) {
    if (key != architecture_key) continue;
    const Where where{
        .file = file->path(), .entry = "__metadata__.tieout", .offset = {}, .tensor = {}, .layer = {}};
    try {
      architecture_from_json(parse_json(value, where), model);
    } catch (Error& error) {
      throw error.at(where);
    }
  }
  return model;
}

Outputs write_file(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  tieout::safetensors::Metadata metadata;
  if (model.has_architecture) metadata.emplace_back(architecture_key, architecture_to_json(model).dump());
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  tieout::safetensors::write_tensors(tensors_to_write(model), metadata, *outputs.back(), options.payload);
  if (wants_source(model)) outputs.push_back(write_torch_source(model, path, options.overwrite));
  return outputs;
}

}  // namespace

Format safetensors() {
  return {.name = "safetensors",
          .title = "safetensors (.safetensors)",
          .framework = Framework::torch,
          .suffixes = {".safetensors"},
          .reads =
              "All element types but those of 4 and 6 bits; second names of tied tensors from the metadata "
              "(save_model).",
          .writes =
              "The bytes that the safetensors library writes for the same tensors; tieout's architecture in "
              "the metadata, and NAME.py beside the file.",
          .writes_architecture = true,
          .recognises = recognises_file,
          .read = read_file,
          .write = write_file};
}

}  // namespace tieout::formats
