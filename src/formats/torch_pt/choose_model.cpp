#include "formats/torch_pt/choose_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "formats/torch_groups.h"
#include "formats/torch_pt/module_reader.h"

namespace tieout::torch_pt {

namespace {

struct Wrapper {
  std::string_view prefix;
  std::string_view writer;
};
constexpr std::array<Wrapper, 2> wrappers{
    {{"module.", "DataParallel or AveragedModel"}, {"_orig_mod.", "torch.compile"}}};
// AveragedModel counts here how many models it has averaged (torch/optim/swa_utils.py).
constexpr std::string_view averaged_count = "n_averaged";
constexpr std::size_t most_listed = 20;

void note(FrameworkModel& model, const std::string& message) {
  model.findings.push_back({.severity = Severity::note, .layer = {}, .message = message, .way_out = {}});
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string listed(const std::vector<Part>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size() && i < most_listed; ++i)
    text += (i > 0 ? ", " : "") + (parts[i].path.empty() ? "." : parts[i].path);
  return text + (parts.size() > most_listed ? ", and others" : "");
}

// The only part that is more than small, or the only one at all; nothing when the file has no tensors.
std::optional<Part> only_part(const std::vector<Part>& parts, const std::string& file) {
  std::vector<Part> fitting;
  std::ranges::copy_if(parts, std::back_inserter(fitting), [](const Part& part) { return !part.is_small; });
  if (fitting.empty()) fitting = parts;
  if (fitting.empty()) return std::nullopt;
  if (fitting.size() == 1) return fitting.front();
  throw usage_error(file + " holds several models: " + listed(fitting),
                    "say which one with --key; --key . takes all tensors of the file as one");
}

std::optional<Part> named_part(const Contents& contents, const std::string& key, FrameworkModel& model) {
  if (key == ".") return Part{};
  const auto part = std::ranges::find(contents.parts, key, &Part::path);
  if (part != contents.parts.end()) return *part;
  const auto begins = [&](const std::string& name) { return name.starts_with(key + "."); };
  if (std::ranges::any_of(contents.tensors, begins, &NamedTensor::name) ||
      std::ranges::any_of(contents.refused, begins, &RefusedTensor::name))
    return Part{.path = key, .module = {}, .is_small = false};
  if (contents.parts.size() == 1 && contents.parts.front().path.empty()) {
    note(model, model.file + " is one model as a whole: the key '" + key + "' is not used");
    return contents.parts.front();
  }
  throw usage_error(model.file + " holds no tensors under the key '" + key + "'",
                    "keys that name a model: " + listed(contents.parts));
}

// Takes the prefixes of wrappers off the names; gives what was taken off.
std::string unwrap(std::vector<NamedTensor>& tensors, FrameworkModel& model) {
  std::string taken;
  for (bool found = true; std::exchange(found, false);) {
    for (const auto& [prefix, writer] : wrappers) {
      const auto is_wrapped = [&](const NamedTensor& named) {
        return named.name == averaged_count || named.name.starts_with(prefix);
      };
      const bool has_any = std::ranges::any_of(
          tensors, [&](const NamedTensor& named) { return named.name.starts_with(prefix); });
      if (!has_any || !std::ranges::all_of(tensors, is_wrapped)) continue;
      std::erase_if(tensors, [](const NamedTensor& named) { return named.name == averaged_count; });
      for (NamedTensor& named : tensors) named.name.erase(0, prefix.size());
      taken += prefix;
      note(model,
           "every name begins with '" + std::string(prefix) + "' (" + std::string(writer) +
               "): the layers, and a PyTorch file that is written from this one, are named without it");
      found = true;
    }
  }
  return taken;
}

// The tensors' groups, named without what stands before all of them.
void read_groups(const std::string& prefix, const std::set<std::string>& left_out, FrameworkModel& model) {
  std::vector<NamedTensor> own;
  for (const NamedTensor& named : model.tensors) {
    if (!named.name.starts_with(prefix) || left_out.contains(named.name)) continue;
    own.push_back({named.name.substr(prefix.size()), named.tensor});
  }
  const std::string before = prefix + unwrap(own, model);
  model.nodes = group_tensors(own);
  for (FrameworkNode& node : model.nodes) {
    for (NodeParameter& parameter : node.parameters) parameter.tensor.insert(0, before);
  }
}

// False when none of the model's tensors is refused.
bool report_refused(const std::vector<RefusedTensor>& refused, const std::string& prefix,
                    const std::set<std::string>& left_out, FrameworkModel& model) {
  bool any = false;
  for (const auto& [name, error] : refused) {
    const bool is_own = name.starts_with(prefix) && !left_out.contains(name);
    any = any || is_own;
    model.findings.push_back({.severity = is_own ? Severity::forbids : Severity::note,
                              .layer = {},
                              .message = "the tensor " + name + " is not read: " + error.what(),
                              .way_out = is_own ? error.hint() : ""});
  }
  return any;
}

void report_choice(const Part& part, FrameworkModel& model) {
  std::set<std::string> own;
  for (const FrameworkNode& node : model.nodes) {
    for (const NodeParameter& parameter : node.parameters) own.insert(parameter.tensor);
  }
  const std::size_t others = model.tensors.size() - own.size();
  if (part.path.empty() && others == 0) return;
  std::string message = part.path.empty() ? "the model is the file's own tensors"
                                          : "the model is '" + part.path +
                                                "' of the file, and its layers are named without that";
  if (others > 0) message += "; " + counted(others, "other tensor") + " of the file do not belong to it";
  note(model, message);
}

}  // namespace

void choose_model(Contents contents, const std::string& key, FrameworkModel& model) {
  const std::optional<Part> part =
      key.empty() ? only_part(contents.parts, model.file) : named_part(contents, key, model);
  model.tensors = std::move(contents.tensors);
  if (!part) return;
  const std::string prefix = part->path.empty() ? "" : part->path + ".";
  const bool has_refused = report_refused(contents.refused, prefix, contents.of_optimizers, model);
  // A layer without one of its tensors has no meaning; then the tensors' names are all that is shown.
  if (part->module && !has_refused) {
    read_module(*part->module, prefix, model);
  } else {
    read_groups(prefix, contents.of_optimizers, model);
  }
  report_choice(*part, model);
}

}  // namespace tieout::torch_pt
