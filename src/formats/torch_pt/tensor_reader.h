// Tensors in a PyTorch pickle: calls of torch._utils._rebuild_* on storages (torch/_utils.py), never done.
#pragma once

#include <functional>
#include <string>

#include "containers/pickle/pickle_reader.h"
#include "formats/torch_pt/storages.h"
#include "tensor/lazy_tensor.h"

namespace tieout::torch_pt {

// The globals whose calls a PyTorch file may hold.
PickleCallables torch_callables();

// Whether a persistent id is that of a storage; others keep a class: ('module', class, file, source).
bool is_storage_id(const PickleNode& id);

// Error(malformed) when a persistent id is neither, or has another number of fields than in such files.
void check_persistent_ids(const PickleTree& tree, const Storages& storages);

// Whether the value is a tensor or a parameter, of any sort.
bool is_tensor(const PickleNode& node);

// The tensor; nothing of its elements is read. Its `storage` is the same for tensors that are the same view
// of the same storage. `name` is for messages. Error(malformed): sizes, strides or offset leave the storage;
// or the view expands its storage more than 1000 times to more than 64 MiB (a file of a few bytes could ask
// for terabytes). Error(unsupported): quantised, sparse, nested and conjugated tensors, and element types
// without a DType.
LazyTensor read_tensor(const PickleNode& node, Storages& storages, const std::string& name);

}  // namespace tieout::torch_pt
