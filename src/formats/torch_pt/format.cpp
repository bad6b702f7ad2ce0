// PyTorch's .pt, .pth and .bin: a state_dict or a whole module, in torch.save's zip archive or, before 1.6,
// in pickles one after another.
#include "formats/format.h"

#include "containers/json/json_text.h"
#include "formats/torch_pt/archive.h"
#include "formats/torch_pt/choose_model.h"
#include "formats/torch_pt/legacy.h"
#include "formats/torch_pt/needed_code.h"
#include "formats/torch_pt/tensor_reader.h"
#include "formats/torch_pt/writer.h"
#include "formats/torch_source/torch_source.h"
#include "model/architecture_json.h"

namespace tieout::formats {

namespace {

using namespace torch_pt;

bool recognises_file(const MappedFile& file) {
  return archive_kind(file) == ArchiveKind::saved || is_bare_pickle(file.bytes()) ||
         is_tar_container(file.bytes());
}

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void read_architecture(const Archive& archive, FrameworkModel& model) {
  const std::vector<std::byte> text = archive.read(architecture_record);
  const Where where = archive.where(architecture_record);
  try {
    architecture_from_json(parse_json(as_text(text), where), model);
  } catch (Error& error) {
    throw error.at(where);
  }
}

Contents read_object(const PickleNode& root, Storages& storages) {
  if (is_tensor(root)) {
    throw unsupported("the file holds a single tensor", root.error("").where(),
                      "save a dict of tensors, or a module");
  }
  Contents contents = read_contents(root, storages);
  if (contents.parts.empty() && !root.is(PickleKind::dict))
    throw root.error("expected a dict of tensors or a module, found " + std::string(describe(root.kind())));
  return contents;
}

void read_archive(const FileRef& file, const ReadOptions& options, FrameworkModel& model) {
  Archive archive(file);
  check_byte_order(archive);
  const PickleTree tree =
      read_pickle(archive.read(pickle_record), torch_callables(), archive.where(pickle_record));
  check_persistent_ids(tree, archive);
  Contents contents = read_object(tree.root(), archive);
  if (!archive.has(architecture_record)) {
    choose_model(std::move(contents), options.key, model);
    return;
  }
  if (!contents.refused.empty()) throw contents.refused.front().error;
  model.tensors = std::move(contents.tensors);
  read_architecture(archive, model);
}

FrameworkModel read_file(const FileRef& file, const ReadOptions& options) {
  FrameworkModel model;
  model.framework = Framework::torch;
  model.format = "torch_pt";
  model.file = file->path();
  if (is_tar_container(file->bytes())) {
    throw unsupported(
        "the file is a tar archive, as PyTorch wrote it before 0.1.10",
        {.file = file->path(), .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
        "re-save it: torch.save(torch.load(FILE, weights_only=False), NEW), which runs what is in "
        "it");
  }
  if (is_bare_pickle(file->bytes())) {
    LegacyFile legacy(file);
    choose_model(read_object(legacy.object().root(), legacy), options.key, model);
  } else {
    read_archive(file, options, model);
  }
  return model;
}

std::vector<std::string> code_of_file(const FileRef& file) {
  if (is_bare_pickle(file->bytes())) return needed_code(LegacyFile(file).object());
  const Archive archive(file);
  return needed_code(
      read_pickle(archive.read(pickle_record), torch_callables(), archive.where(pickle_record)));
}

Outputs write_file(const FrameworkModel& model, const std::string& path, const WriteOptions& options) {
  Outputs outputs;
  outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite));
  write_archive(model, *outputs.back(), options.payload);
  if (wants_source(model)) outputs.push_back(write_torch_source(model, path, options.overwrite));
  return outputs;
}

}  // namespace

Format torch_pt() {
  return {
      .name = "torch_pt",
      .title = "PyTorch state_dict or module (.pt, .pth, .bin)",
      .framework = Framework::torch,
      .suffixes = {".pth", ".bin", ".pt"},
      .reads =
          "State_dicts, whole modules of torch.nn, checkpoints of trainings and of Lightning (--key), "
          "DataParallel's and torch.compile's prefixes; also the format from before 1.6. Sparse, quantised "
          "and nested tensors are refused by name.",
      .writes =
          "A state_dict that torch.load reads with weights_only=True and mmap=True, and NAME.py beside it.",
      .writes_architecture = true,
      .recognises = recognises_file,
      .read = read_file,
      .write = write_file,
      .code = code_of_file};
}

}  // namespace tieout::formats
