// Tensors that are no model: probes, evidence, recorded outputs.

#include <memory>

#include "base/mapped_file.h"
#include "containers/npy/npy.h"
#include "formats/format.h"
#include "tieout.h"
#include "tieout/error.h"

namespace tieout {

void require_runnable(const Side& side) {
  if (!side.file.has_architecture && !forbids_writing(side.file.findings)) {
    throw usage_error(
        side.file.file + " holds tensors but no architecture, so there is nothing to run",
        "give a file that holds its architecture: a whole module, a .keras file, one that tieout wrote");
  }
  if (!forbids_writing(side.model.findings)) return;
  std::string all;
  std::string way_out;
  for (const auto& finding : side.model.findings) {
    if (finding.severity != Severity::forbids) continue;
    all += (all.empty() ? "" : "; ") + finding.layer + ": " + finding.message;
    way_out = finding.way_out;
  }
  throw unsupported(all, {.file = side.file.file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                    way_out);
}

std::vector<NamedTensor> read_tensors(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(file_to_read(path));
  if (is_npy(file->bytes())) return {{"", read_npy(file)}};
  if (path.ends_with(".npz")) return read_npz(file);
  return format_of_content(*file).read(file, {}).tensors;
}

void write_tensors(const std::vector<NamedTensor>& tensors, const std::string& path, bool overwrite) {
  if (path.ends_with(".npz")) {
    OutputFile file(path, overwrite);
    write_npz(file, tensors);
    file.commit();
    return;
  }
  if (!path.ends_with(".safetensors")) {
    throw usage_error("'" + path + "' is neither an .npz nor a .safetensors file",
                      "end it with one of the two");
  }
  FrameworkModel plain;
  plain.tensors = tensors;
  FrameworkNode group;
  for (const auto& named : tensors) group.parameters.push_back({named.name, "", named.name});
  plain.nodes.push_back(group);
  for (const auto& output : format_of_name(path).write(plain, path, {.overwrite = overwrite}))
    output->commit();
}

}  // namespace tieout
