#include "formats/torch_pt/state_dict_reader.h"

#include <set>
#include <string>

#include "formats/torch_groups.h"
#include "formats/torch_pt/module_reader.h"

namespace tieout::torch_pt {

namespace {

constexpr int deepest = 32;
// Dicts can be shared, so a small file can spell very many names.
constexpr std::size_t most_values = 10'000'000;

class DictWalk {
 public:
  DictWalk(Storages& storages, FrameworkModel& model) : storages_(storages), model_(model) {}

  void walk(const PickleNode& dict, const std::string& prefix, int depth) {
    if (depth > deepest) throw dict.error("dicts are nested more than 32 deep, or hold themselves");
    for (std::size_t i = 0; i < dict.pairs(); ++i) {
      if (++values_ > most_values) throw dict.error("the file names more than ten million values");
      const PickleNode value = dict.value(i);
      if (is_module(value)) {
        throw unsupported("a module inside a dict is not supported", value.error("").where(),
                          "save the module itself, or its state_dict()");
      }
      if (!is_tensor(value) && !value.is(PickleKind::dict)) continue;
      const std::string name = prefix + spell(dict.key(i));
      if (value.is(PickleKind::dict)) {
        walk(value, name + ".", depth + 1);
        continue;
      }
      if (!names_.insert(name).second) throw dict.error("two tensors have the name '" + name + "'");
      model_.tensors.push_back({name, read_tensor(value, storages_, name)});
    }
  }

 private:
  static std::string spell(const PickleNode& key) {
    if (key.is(PickleKind::integer)) return std::to_string(key.integer());
    return std::string(key.text());
  }

  Storages& storages_;
  FrameworkModel& model_;
  std::set<std::string> names_;
  std::size_t values_ = 0;
};

}  // namespace

void read_state_dict(const PickleNode& root, Storages& storages, FrameworkModel& model) {
  DictWalk(storages, model).walk(root, "", 0);
  model.nodes = group_tensors(model.tensors);
}

}  // namespace tieout::torch_pt
