#include "formats/torch_pt/contents.h"

#include <utility>

#include "formats/torch_pt/module_reader.h"
#include "formats/torch_pt/tensor_reader.h"

namespace tieout::torch_pt {

namespace {

constexpr int deepest = 32;
// Dicts can be shared, so a small file can spell very many names.
constexpr std::size_t most_values = 100'000'000;
constexpr std::size_t container_values = 20;  // as much work as a dict or list itself
constexpr std::size_t most_tensors = 1'000'000;

bool is_container(const PickleNode& value) {
  return value.is(PickleKind::dict) || value.is(PickleKind::list) || value.is(PickleKind::tuple);
}

bool is_optimizer(const PickleNode& dict) {
  return dict.find("state") && dict.find("param_groups");
}

// A dict, a list or a tuple, as one.
class Items {
 public:
  explicit Items(const PickleNode& container)
      : container_(container), is_dict_(container.is(PickleKind::dict)) {}

  [[nodiscard]] std::size_t size() const { return is_dict_ ? container_.pairs() : container_.size(); }
  [[nodiscard]] PickleNode value(std::size_t i) const {
    return is_dict_ ? container_.value(i) : container_.item(i);
  }
  [[nodiscard]] std::string name(std::size_t i) const {
    if (!is_dict_) return std::to_string(i);
    const PickleNode key = container_.key(i);
    if (key.is(PickleKind::text)) return std::string(key.text());
    if (key.is(PickleKind::integer)) return std::to_string(key.integer());
    if (key.is(PickleKind::global)) return key.full_name();
    return "#" + std::to_string(i);
  }

 private:
  const PickleNode& container_;
  bool is_dict_;
};

// Numbers of one element, and what torch.get_rng_state() gives.
bool is_small(const LazyTensor& tensor) {
  return tensor.shape.empty() || (tensor.dtype == DType::u8 && tensor.shape.size() == 1);
}

class Walk {
 public:
  explicit Walk(Storages& storages) : storages_(storages) {}

  void visit(const PickleNode& value, const std::string& path, int depth) {
    if (is_module(value)) {
      visit_module(value, path);
    } else if (is_container(value)) {
      visit_container(value, path, depth);
    }
  }

  Contents take() { return std::move(contents_); }

 private:
  void visit_module(const PickleNode& module, const std::string& path) {
    each_tensor(module, [&](const PickleNode& tensor, const std::string& name) {
      add(tensor, path.empty() ? name : path + "." + name);
    });
    if (!in_optimizer_) contents_.parts.push_back({.path = path, .module = module, .is_small = false});
  }

  void visit_container(const PickleNode& container, const std::string& path, int depth) {
    if (depth > deepest)
      throw container.error("dicts and lists are nested more than 32 deep, or hold themselves");
    const bool is_dict = container.is(PickleKind::dict);
    const bool was_in_optimizer = in_optimizer_;
    in_optimizer_ = in_optimizer_ || (is_dict && is_optimizer(container));
    const std::size_t parts_before = contents_.parts.size();
    bool has_tensors = false;
    bool has_weights = false;
    const Items items(container);
    values_ += items.size() + container_values;
    if (values_ > most_values) throw container.error("the file names more than a hundred million values");
    for (std::size_t i = 0; i < items.size(); ++i) {
      const PickleNode value = items.value(i);
      const bool is_direct = is_tensor(value);
      if (!is_direct && !is_container(value) && !is_module(value)) continue;
      const std::string name = path.empty() ? items.name(i) : path + "." + items.name(i);
      if (!is_direct) {
        visit(value, name, depth + 1);
        continue;
      }
      has_tensors = true;
      // One that is refused counts as a weight.
      if (!add(value, name) || !is_small(contents_.tensors.back().tensor)) has_weights = true;
    }
    const bool has_parts = contents_.parts.size() > parts_before;
    if (is_dict && !in_optimizer_ && (has_parts ? has_weights : has_tensors))
      contents_.parts.push_back({.path = path, .module = {}, .is_small = !has_weights});
    in_optimizer_ = was_in_optimizer;
  }

  // False when it is refused.
  bool add(const PickleNode& tensor, const std::string& name) {
    if (!names_.insert(name).second) throw tensor.error("two tensors have the name '" + name + "'");
    if (names_.size() > most_tensors) throw tensor.error("the file names more than a million tensors");
    if (in_optimizer_) contents_.of_optimizers.insert(name);
    try {
      contents_.tensors.push_back({name, read_tensor(tensor, storages_, name)});
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unsupported) throw;
      contents_.refused.push_back({name, error});
      return false;
    }
  }

  Storages& storages_;
  Contents contents_;
  std::set<std::string> names_;
  std::size_t values_ = 0;
  bool in_optimizer_ = false;
};

}  // namespace

Contents read_contents(const PickleNode& root, Storages& storages) {
  Walk walk(storages);
  walk.visit(root, "", 0);
  return walk.take();
}

}  // namespace tieout::torch_pt
