// TorchScript: what torch.jit.save writes. Its weights are read, by the names of state_dict(); its program is
// not, so that it holds no architecture here.
#include "formats/format.h"

#include "formats/torch_groups.h"
#include "formats/torch_pt/archive.h"
#include "formats/torch_pt/tensor_reader.h"
#include "formats/torch_script/script_module.h"

namespace tieout::formats {

namespace {

using torch_pt::Archive;

bool recognises_file(const MappedFile& file) {
  return torch_pt::archive_kind(file) == torch_pt::ArchiveKind::script;
}

// Tensors that are no attribute of a module but part of the program: CONSTANTS.c0, CONSTANTS.c1, ...
void check_constants(const Archive& archive, FrameworkModel& model) {
  if (!archive.has("constants/0")) return;
  if (!model.tensors.empty()) {
    model.findings.push_back({.severity = Severity::note,
                              .layer = {},
                              .message = "the program holds constants; they have no names and are not listed",
                              .way_out = {}});
    return;
  }
  throw unsupported(
      "the module was frozen (torch.jit.freeze): its weights are constants of the program without names, and "
      "batch normalisations may be folded into them",
      archive.where("constants.pkl"), "give the module as it was before, or its state_dict()");
}

FrameworkModel read_file(const FileRef& file, const ReadOptions& /*options*/) {
  FrameworkModel model;
  model.framework = Framework::torch;
  model.format = "torch_script";
  model.file = file->path();
  Archive archive(file);
  torch_pt::check_byte_order(archive);
  const PickleTree tree = read_pickle(archive.read(torch_pt::pickle_record), torch_script::script_callables(),
                                      archive.where(torch_pt::pickle_record));
  torch_pt::check_persistent_ids(tree, archive);
  torch_script::read_script_module(tree.root(), archive, model);
  check_constants(archive, model);
  model.nodes = group_tensors(model.tensors);
  return model;
}

}  // namespace

Format torch_script() {
  return {
      .name = "torch_script",
      .title = "TorchScript, weights only (.pt, .torchscript)",
      .framework = Framework::torch,
      .suffixes = {".torchscript"},
      .reads =
          "Parameters and buffers by their names; the code is never read. Frozen modules are refused: their "
          "weights have no names.",
      .recognises = recognises_file,
      .read = read_file,
      .write = nullptr,
      .code = [](const FileRef&) {
        return std::vector<std::string>{"TorchScript methods of the file's own, which run when it is called"};
      }};
}

}  // namespace tieout::formats
