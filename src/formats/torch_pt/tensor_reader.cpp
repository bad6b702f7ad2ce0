#include "formats/torch_pt/tensor_reader.h"

#include <array>
#include <utility>

#include "base/checked.h"
#include "formats/torch_pt/strided_source.h"
#include "formats/torch_pt/torch_dtype.h"

namespace tieout::torch_pt {

namespace {

constexpr std::array plain_tensors{"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
                                   "torch._utils._rebuild_tensor_v3"};
constexpr std::array parameters{"torch._utils._rebuild_parameter",
                                "torch._utils._rebuild_parameter_with_state"};
constexpr std::string_view subclass = "torch._tensor._rebuild_from_type_v2";

struct Refused {
  std::string_view callable;
  std::string_view what;
};
constexpr std::array<Refused, 6> refused{
    {{"torch._utils._rebuild_qtensor", "a quantised tensor"},
     {"torch._utils._rebuild_sparse_tensor", "a sparse tensor"},
     {"torch._utils._rebuild_meta_tensor_no_storage", "a tensor without elements (meta)"},
     {"torch._utils._rebuild_nested_tensor", "a nested tensor"},
     {"torch.nn.parameter.UninitializedParameter", "a parameter of a lazy module that was never run"},
     {"torch.nn.parameter.UninitializedBuffer", "a buffer of a lazy module that was never run"}}};

constexpr std::size_t most_axes = 64;  // PyTorch's own limit
constexpr std::uint64_t largest_expansion = 1000;
constexpr std::uint64_t small_tensor = std::uint64_t{64} << 20;

bool is_one_of(std::string_view name, const auto& names) {
  for (const std::string_view candidate : names) {
    if (name == candidate) return true;
  }
  return false;
}

const Refused* find_refused(std::string_view name) {
  for (const Refused& entry : refused) {
    if (entry.callable == name) return &entry;
  }
  return nullptr;
}

Error not_supported(const PickleNode& node, const std::string& message, const std::string& hint = {}) {
  // The place of the value, with another kind of error.
  const Error placed = node.error(message);
  return unsupported(message, placed.where(), hint);
}

std::vector<std::int64_t> read_counts(const PickleNode& node, std::string_view what) {
  if (node.size() > most_axes) throw node.error("a tensor has more than 64 axes");
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < node.size(); ++i) {
    counts.push_back(node.item(i).integer());
    if (counts.back() < 0) {
      throw node.item(i).error("a tensor has the negative " + std::string(what) + " " +
                               std::to_string(counts.back()));
    }
  }
  return counts;
}

// A storage, or the part of it that a persistent id means.
struct StorageRef {
  std::shared_ptr<const Storage> storage;
  std::string key;
  std::optional<DType> dtype;  // nothing for an untyped storage
  std::uint64_t first = 0;     // byte of the storage
  std::uint64_t size = 0;      // in bytes
};

// None, or (key of the part, first element, element count); see Storages::id_size.
void take_part(const PickleNode& part, std::uint64_t element_size, StorageRef& ref) {
  if (part.is(PickleKind::none)) return;
  const std::int64_t first = part.item(1).integer();
  const std::int64_t count = part.item(2).integer();
  const std::uint64_t elements = ref.size / element_size;
  if (first < 0 || count < 0 || static_cast<std::uint64_t>(first) > elements ||
      static_cast<std::uint64_t>(count) > elements - static_cast<std::uint64_t>(first)) {
    throw part.error("a view of storage " + ref.key + " leaves its " + std::to_string(elements) +
                     " elements");
  }
  ref.first = static_cast<std::uint64_t>(first) * element_size;
  ref.size = static_cast<std::uint64_t>(count) * element_size;
}

StorageRef read_storage(const PickleNode& node, Storages& storages) {
  const PickleNode id = node.id();
  if (!is_storage_id(id)) throw id.error("a persistent id is not that of a storage");
  const PickleNode type = id.item(1);
  StorageRef ref;
  ref.key = id.item(2).text();
  ref.dtype = dtype_of_storage(type.name());
  const bool untyped = type.full_name() == "torch.storage.UntypedStorage";
  if (!untyped && (!ref.dtype || type.module() != "torch")) {
    throw not_supported(type, "storages of type " + type.full_name() + " are not supported");
  }
  const std::int64_t count = id.item(4).integer();
  if (count < 0) throw id.item(4).error("a storage has the negative size " + std::to_string(count));
  ref.storage = storages.storage(ref.key);
  const std::uint64_t element_size = untyped ? 1 : size_of(*ref.dtype);
  const auto bytes = checked_mul(static_cast<std::uint64_t>(count), element_size);
  if (bytes != ref.storage->size()) {
    throw id.item(4).error("storage " + ref.key + " should have " + std::to_string(count) +
                           (untyped ? " bytes" : " elements") + ", its record has " +
                           std::to_string(ref.storage->size()) + " bytes");
  }
  ref.size = *bytes;
  if (id.size() > 5) take_part(id.item(5), element_size, ref);
  return ref;
}

// The last argument of newer files: {'conj': True}, {'neg': True}.
void check_metadata(const PickleNode& arguments, std::size_t position) {
  if (arguments.size() <= position || !arguments.item(position).is(PickleKind::dict)) return;
  const PickleNode metadata = arguments.item(position);
  for (std::size_t i = 0; i < metadata.pairs(); ++i) {
    const PickleNode flag = metadata.value(i);
    if (flag.is(PickleKind::boolean) && !flag.boolean()) continue;
    throw not_supported(metadata, "a lazily conjugated or negated tensor is not supported",
                        "save tensor.resolve_conj().resolve_neg() instead");
  }
}

// The same for the same view only.
std::string identity(const std::string& key, const Layout& layout) {
  std::string text = key + "@" + std::to_string(layout.offset);
  if (!is_contiguous(layout)) {
    for (const std::int64_t stride : layout.strides) text += "," + std::to_string(stride);
  }
  return text;
}

void check_expansion(const PickleNode& node, const Layout& layout, std::uint64_t storage_size) {
  const std::uint64_t bytes = byte_count(layout.shape, layout.dtype);
  if (bytes > small_tensor && bytes / largest_expansion > storage_size) {
    throw node.error("a view of shape " + to_string(layout.shape) + " expands a storage of " +
                     std::to_string(storage_size) + " bytes to " + std::to_string(bytes) +
                     "; more than 1000 times is refused");
  }
}

// (storage, offset, size, stride [, requires_grad, hooks [, metadata]]), v3: (..., hooks, dtype [, metadata])
LazyTensor rebuild(const PickleNode& node, const std::string& callable, const PickleNode& arguments,
                   Storages& storages) {
  const bool has_dtype = callable == "torch._utils._rebuild_tensor_v3";
  const StorageRef ref = read_storage(arguments.item(0), storages);
  std::optional<DType> dtype = ref.dtype;
  if (has_dtype) {
    const PickleNode name = arguments.item(6);
    dtype = dtype_of_name(name.name());
    if (!dtype) throw not_supported(name, "elements of type " + name.full_name() + " are not supported");
  }
  if (!dtype) throw node.error("a tensor of an untyped storage has no element type");
  check_metadata(arguments, has_dtype ? 7 : 6);
  Layout layout;
  layout.dtype = *dtype;
  layout.offset = arguments.item(1).integer();
  if (layout.offset < 0) throw arguments.item(1).error("a tensor begins before its storage");
  layout.shape = read_counts(arguments.item(2), "size");
  layout.strides = read_counts(arguments.item(3), "stride");
  if (layout.strides.size() != layout.shape.size())
    throw node.error("a tensor has more or fewer strides than axes");
  const std::uint64_t elements = ref.size / size_of(*dtype);
  const std::uint64_t used = extent(layout);
  if (used > elements) {
    throw node.error("a tensor of shape " + to_string(layout.shape) + " at offset " +
                     std::to_string(layout.offset) + " leaves its storage of " + std::to_string(elements) +
                     " elements");
  }
  check_expansion(node, layout, ref.size);
  // The offset of a tensor without elements can be any number.
  if (used > 0) layout.offset += static_cast<std::int64_t>(ref.first / size_of(*dtype));
  LazyTensor tensor;
  tensor.dtype = layout.dtype;
  tensor.shape = layout.shape;
  tensor.storage = identity(ref.key, layout);
  tensor.source = strided_source(std::move(layout), ref.storage);
  return tensor;
}

LazyTensor read_any(const PickleNode& node, Storages& storages) {
  if (!node.is(PickleKind::call))
    throw node.error("expected a tensor, found " + std::string(describe(node.kind())));
  PickleNode call = node;
  if (is_one_of(call.full_name(), parameters)) call = call.arguments().item(0);
  if (!call.is(PickleKind::call)) throw call.error("expected a parameter's tensor");
  std::string callable = call.full_name();
  PickleNode arguments = call.arguments();
  if (callable == subclass) {
    // (function, class, arguments, state): the class adds no elements.
    callable = arguments.item(0).full_name();
    arguments = arguments.item(2);
  }
  if (const Refused* entry = find_refused(callable)) {
    throw not_supported(call, std::string(entry->what) + " is not supported", "save it as a plain tensor");
  }
  if (!is_one_of(callable, plain_tensors)) throw call.error("'" + callable + "' does not make a tensor");
  return rebuild(call, callable, arguments, storages);
}

}  // namespace

bool is_storage_id(const PickleNode& id) {
  return id.item(0).text() == "storage";
}

void check_persistent_ids(const PickleTree& tree, const Storages& storages) {
  constexpr std::size_t class_id_size = 4;
  const bool classes_too = storages.id_size() > 5;
  for (const PickleNode& persistent : tree.persistent()) {
    const PickleNode id = persistent.id();
    const bool is_class = classes_too && !is_storage_id(id) && id.item(0).text() == "module";
    if (!is_class && !is_storage_id(id)) throw id.error("a persistent id is not that of a storage");
    if (id.size() != (is_class ? class_id_size : storages.id_size()))
      throw id.error("a persistent id has " + std::to_string(id.size()) + " fields");
    if (!id.item(1).is(PickleKind::global)) throw id.item(1).error("a persistent id names no class");
  }
}

PickleCallables torch_callables() {
  PickleCallables callables = plain_callables();
  callables.emplace("torch.Size", PickleRole::first);
  for (const auto& names : {plain_tensors}) {
    for (const std::string_view name : names) callables.emplace(name, PickleRole::call);
  }
  for (const std::string_view name : parameters) callables.emplace(name, PickleRole::call);
  for (const Refused& entry : refused) callables.emplace(entry.callable, PickleRole::call);
  callables.emplace(subclass, PickleRole::call);
  callables.emplace("torch.device", PickleRole::call);
  callables.emplace("torch.serialization._get_layout", PickleRole::call);
  // Attributes of modules that are bound methods or functions; the call is kept as a name and never done.
  callables.emplace("__builtin__.getattr", PickleRole::call);
  callables.emplace("builtins.getattr", PickleRole::call);
  return callables;
}

bool is_tensor(const PickleNode& node) {
  if (!node.is(PickleKind::call)) return false;
  const std::string name = node.full_name();
  return is_one_of(name, plain_tensors) || is_one_of(name, parameters) || name == subclass ||
         find_refused(name) != nullptr;
}

LazyTensor read_tensor(const PickleNode& node, Storages& storages, const std::string& name) {
  try {
    return read_any(node, storages);
  } catch (Error& error) {
    Where where = node.error("").where();
    where.tensor = name;
    throw error.at(where);
  }
}

}  // namespace tieout::torch_pt
