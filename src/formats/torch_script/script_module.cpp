#include "formats/torch_script/script_module.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "formats/torch_pt/tensor_reader.h"

namespace tieout::torch_script {

namespace {

constexpr std::string_view module_root = "__torch__";
// Classes in C++, whose state only they can read: the weights of quantised layers.
constexpr std::string_view native_classes = "__torch__.torch.classes";
constexpr int deepest = 64;
// Modules can be shared, so a small file can name very many.
constexpr std::size_t most_modules = 1'000'000;

// Names of attributes; nothing where the class has no such list.
struct ClassLists {
  std::optional<std::set<std::string, std::less<>>> parameters;
  std::optional<std::set<std::string, std::less<>>> buffers;  // since PyTorch 1.5; all other tensors before
};

// What stands in quotes: ["weight", "bias", ].
std::set<std::string, std::less<>> quoted(std::string_view line) {
  std::set<std::string, std::less<>> names;
  for (std::size_t open = line.find('"'); open != std::string_view::npos; open = line.find('"', open)) {
    const std::size_t close = line.find('"', open + 1);
    if (close == std::string_view::npos) break;
    names.emplace(line.substr(open + 1, close - open - 1));
    open = close + 1;
  }
  return names;
}

// The lists of each class in a source file: "class NAME(Module):" at the margin, the lists below it.
std::map<std::string, ClassLists, std::less<>> read_source(std::string_view text) {
  constexpr std::string_view class_word = "class ";
  constexpr std::string_view parameters = "  __parameters__ = [";
  constexpr std::string_view buffers = "  __buffers__ = [";
  std::map<std::string, ClassLists, std::less<>> classes;
  ClassLists* current = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with(class_word)) {
      const std::string_view rest = line.substr(class_word.size());
      current = &classes[std::string(rest.substr(0, rest.find('(')))];
    } else if (current != nullptr && line.starts_with(parameters)) {
      current->parameters = quoted(line);
    } else if (current != nullptr && line.starts_with(buffers)) {
      current->buffers = quoted(line);
    }
  }
  return classes;
}

class Walk {
 public:
  Walk(torch_pt::Archive& archive, FrameworkModel& model) : archive_(archive), model_(model) {}

  void visit(const PickleNode& module, const std::string& prefix, int depth) {
    if (depth > deepest) throw module.error("modules are nested more than 64 deep, or hold themselves");
    if (++modules_ > most_modules) throw module.error("the file names more than a million modules");
    const auto state = module.state();
    if (module.full_name().starts_with(native_classes) || !state || !state->is(PickleKind::dict)) {
      refuse((prefix.empty() ? "the root" : prefix.substr(0, prefix.size() - 1)) +
                 " is an object of the class " + module.full_name() + ", whose weights are not read",
             "convert the model before it is quantised or packed");
      return;
    }
    const ClassLists& lists = lists_of(module);
    for (std::size_t i = 0; i < state->pairs(); ++i) {
      if (torch_pt::is_tensor(state->value(i))) add(state->key(i), state->value(i), lists, prefix);
    }
    for (std::size_t i = 0; i < state->pairs(); ++i) {
      const PickleNode value = state->value(i);
      if (value.is(PickleKind::object) && value.full_name().starts_with(module_root))
        visit(value, prefix + std::string(state->key(i).text()) + ".", depth + 1);
    }
  }

 private:
  void add(const PickleNode& key, const PickleNode& tensor, const ClassLists& lists,
           const std::string& prefix) {
    const std::string_view own = key.text();
    if (!lists.parameters->contains(own) && lists.buffers && !lists.buffers->contains(own)) return;
    const std::string name = prefix + std::string(own);
    if (!names_.insert(name).second) throw tensor.error("two tensors have the name '" + name + "'");
    try {
      model_.tensors.push_back({name, torch_pt::read_tensor(tensor, archive_, name)});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unsupported) throw;
      refuse("the tensor " + name + " is not read: " + error.what(), error.hint());
    }
  }

  void refuse(const std::string& message, const std::string& way_out) {
    model_.findings.push_back(
        {.severity = Severity::forbids, .layer = {}, .message = message, .way_out = way_out});
  }

  const ClassLists& lists_of(const PickleNode& module) {
    std::string record = "code/";
    for (const char c : module.module()) record += c == '.' ? '/' : c;
    record += ".py";
    auto source = sources_.find(record);
    if (source == sources_.end()) {
      const std::vector<std::byte> bytes = archive_.read(record);
      const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      source = sources_.emplace(record, read_source(text)).first;
    }
    const auto found = source->second.find(module.name());
    if (found == source->second.end() || !found->second.parameters)
      throw module.error("the source of the class " + module.full_name() + " does not list its parameters");
    return found->second;
  }

  torch_pt::Archive& archive_;
  FrameworkModel& model_;
  std::map<std::string, std::map<std::string, ClassLists, std::less<>>> sources_;  // by record
  std::set<std::string> names_;
  std::size_t modules_ = 0;
};

}  // namespace

PickleCallables script_callables() {
  PickleCallables callables = torch_pt::torch_callables();
  for (const char* name : {"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist",
                           "build_tensor_from_id", "restore_type_tag"})
    callables.emplace(std::string("torch.jit._pickle.") + name, PickleRole::call);
  return callables;
}

void read_script_module(const PickleNode& root, torch_pt::Archive& archive, FrameworkModel& model) {
  if (!root.is(PickleKind::object)) throw root.error("expected a module");
  model.name = root.name();
  Walk(archive, model).visit(root, "", 0);
}

}  // namespace tieout::torch_script
