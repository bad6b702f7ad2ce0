// Writing a state_dict as torch.save does.
#pragma once

#include "base/output_file.h"
#include "model/framework_model.h"
#include "tensor/payload.h"

namespace tieout::torch_pt {

// Writes the tensors that the nodes own, in the nodes' order, then those that no node owns, under their full
// names, as an OrderedDict with _metadata; torch.load reads it with weights_only=True, mmap or not. Tensors
// of one storage id are written once. With an architecture, its JSON goes into the record tieout/model.json.
// Error(unsupported) for an element type that PyTorch files cannot hold.
void write_archive(const FrameworkModel& model, OutputFile& out, const PayloadOptions& options);

}  // namespace tieout::torch_pt
