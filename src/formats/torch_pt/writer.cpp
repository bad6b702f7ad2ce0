#include "formats/torch_pt/writer.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "containers/pickle/pickle_writer.h"
#include "containers/zip/zip_writer.h"
#include "formats/torch_groups.h"
#include "formats/torch_pt/archive.h"
#include "formats/torch_pt/torch_dtype.h"
#include "model/architecture_json.h"

namespace tieout::torch_pt {

namespace {

// The stem of the file, as PyTorch's writer takes it: for plain ASCII names only.
std::string archive_name(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  name = name.substr(0, name.rfind('.'));
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    if (!plain) return "archive";
  }
  return name.find_first_not_of('.') == std::string::npos ? "archive" : name;
}

struct Record {
  const LazyTensor* tensor;
  std::string key;
};

// Which storage record each tensor has: the next number, or that of the first tensor with the same storage.
class StorageTable {
 public:
  const std::string& key_of(const LazyTensor& tensor) {
    if (tensor.storage.empty()) return add(tensor);
    const std::string identity =
        tensor.storage + " " + std::string(to_string(tensor.dtype)) + " " + to_string(tensor.shape);
    const auto found = known_.find(identity);
    if (found != known_.end()) return records_[found->second].key;
    known_.emplace(identity, records_.size());
    return add(tensor);
  }
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  const std::string& add(const LazyTensor& tensor) {
    records_.push_back({&tensor, std::to_string(records_.size())});
    return records_.back().key;
  }

  std::vector<Record> records_;
  std::map<std::string, std::size_t> known_;
};

void write_ordered_dict(PickleWriter& pickle) {
  pickle.global("collections", "OrderedDict");
  pickle.empty_tuple();
  pickle.reduce();
}

void write_counts(PickleWriter& pickle, const std::vector<std::int64_t>& counts) {
  pickle.mark();
  for (const std::int64_t count : counts) pickle.integer(count);
  pickle.tuple();
}

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * std::max<std::int64_t>(shape[axis], 1);
  }
  return strides;
}

// torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()); types without a storage
// class of their own go by _rebuild_tensor_v3 and an untyped storage (torch/_tensor.py, _reduce_ex_internal).
void write_tensor(PickleWriter& pickle, const LazyTensor& tensor, const std::string& key) {
  const std::string_view storage = storage_of_dtype(tensor.dtype);
  const bool untyped = storage.empty();
  pickle.global("torch._utils", untyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
  pickle.mark();
  pickle.mark();
  pickle.text("storage");
  pickle.global(untyped ? "torch.storage" : "torch", untyped ? "UntypedStorage" : storage);
  pickle.text(key);
  pickle.text("cpu");
  pickle.integer(static_cast<std::int64_t>(untyped ? byte_count(tensor.shape, tensor.dtype)
                                                   : element_count(tensor.shape)));
  pickle.tuple();
  pickle.persistent_id();
  pickle.integer(0);
  write_counts(pickle, tensor.shape);
  write_counts(pickle, row_major_strides(tensor.shape));
  pickle.boolean(false);
  write_ordered_dict(pickle);
  if (untyped) pickle.global("torch", to_string(tensor.dtype));
  pickle.tuple();
  pickle.reduce();
}

// {"": 1, "features": 1, "features.0": 1, "bn": 2}: a version for every module. PyTorch takes a batch
// normalisation of version 1 for one from before num_batches_tracked, and adds that tensor itself
// (torch/nn/modules/batchnorm.py).
std::map<std::string, int> module_versions(const std::vector<FrameworkNode>& nodes) {
  std::map<std::string, int> versions{{"", 1}};
  for (const FrameworkNode& node : nodes) {
    for (const NodeParameter& parameter : node.parameters) {
      const std::string& name = parameter.tensor;
      for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
        versions.emplace(name.substr(0, dot), 1);
      }
      const std::size_t last = name.rfind('.');
      if (name.substr(last + 1) == "num_batches_tracked")
        versions[last == std::string::npos ? "" : name.substr(0, last)] = 2;
    }
  }
  return versions;
}

void write_metadata(PickleWriter& pickle, const std::vector<FrameworkNode>& nodes) {
  pickle.empty_dict();
  pickle.mark();
  pickle.text("_metadata");
  write_ordered_dict(pickle);
  pickle.mark();
  for (const auto& [module, version] : module_versions(nodes)) {
    pickle.text(module);
    pickle.empty_dict();
    pickle.mark();
    pickle.text("version");
    pickle.integer(version);
    pickle.set_items();
  }
  pickle.set_items();
  pickle.set_items();
  pickle.build();
}

}  // namespace

void write_archive(const FrameworkModel& model, OutputFile& out, const PayloadOptions& options) {
  const std::vector<NamedTensor> tensors = tensors_to_write(model);
  StorageTable storages;
  PickleWriter pickle;
  write_ordered_dict(pickle);
  pickle.mark();
  for (const NamedTensor& named : tensors) {
    pickle.text(named.name);
    write_tensor(pickle, named.tensor, storages.key_of(named.tensor));
  }
  pickle.set_items();
  write_metadata(pickle, group_tensors(tensors));
  const std::string prefix = archive_name(out.path()) + "/";
  ZipWriter zip(out, ZipAlignment::torch);
  zip.add(prefix + std::string(pickle_record), pickle.finish());
  zip.add(prefix + "byteorder", "little");
  for (const Record& record : storages.records())
    zip.add(prefix + "data/" + record.key, Payload::of(*record.tensor));
  zip.add(prefix + "version", "3\n");
  if (model.has_architecture) {
    zip.add(prefix + std::string(architecture_record), architecture_to_json(model).dump());
  }
  zip.finish(options);
}

}  // namespace tieout::torch_pt
