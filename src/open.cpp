#include "open.h"

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/mapped_file.h"
#include "convert/borrow.h"
#include "convert/complete.h"
#include "convert/constraints.h"
#include "convert/group_order.h"
#include "formats/shard_index.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// A model that is whole without the shapes, and contradicts itself with them: the shapes are wrong, not the
// file.
Model lift_with(FrameworkModel& file, const InputShapes& shapes) {
  if (shapes.empty()) return lift(file);
  try {
    return lift(file, shapes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::malformed) throw;
    lift(file);
    std::string given;
    for (const auto& [name, shape] : shapes) {
      given += (given.empty() ? "" : ", ") + (name.empty() ? "" : name + " ") + to_string(shape);
    }
    throw Error(
        ErrorKind::usage, "the input shape " + given + " does not fit the model: " + error.what(),
        error.where(),
        "--input-shape and --probe take the model's own layout and sizes; `tieout inspect` shows them");
  }
}

// With what was noticed while reading.
Model understand(FrameworkModel& file, const InputShapes& shapes = {}) {
  Model model = lift_with(file, shapes);
  model.findings.insert(model.findings.begin(), file.findings.begin(), file.findings.end());
  return model;
}

// The axis of a kernel's outputs in PyTorch: the second one in transposed convolutions, the first one in all
// others. Nothing for a model that has both.
std::optional<std::size_t> output_axis(const Model& model) {
  std::set<bool> transposed;
  for (const auto& layer : model.layers) {
    if (layer.kind.starts_with("conv") || layer.kind.starts_with("depthwise_conv"))
      transposed.insert(layer.kind.starts_with("conv_transpose"));
  }
  if (transposed.size() > 1) return std::nullopt;
  return transposed.contains(true) ? 1 : 0;
}

void lend(Side& bare, const Side& other) {
  if (const auto axis = output_axis(other.model)) state_weights(bare.file, axis);
  Borrowed borrowed = borrow(bare.file, other.model);
  borrowed.file.findings = bare.file.findings;
  if (forbids_writing(borrowed.findings)) {
    bare.model.findings = bare.file.findings;
    bare.model.findings.insert(bare.model.findings.end(), borrowed.findings.begin(), borrowed.findings.end());
    return;
  }
  bare.file = std::move(borrowed.file);
  bare.model = understand(bare.file);
  bare.model.findings.insert(bare.model.findings.begin(), borrowed.findings.begin(), borrowed.findings.end());
  bare.architecture_assumed = true;
}

void complete(Side& open, const Model& other, const InputShapes& given) {
  const InputShapes shapes = complete_shapes(open.model, other, given);
  if (shapes != given) open.model = understand(open.file, shapes);
}

}  // namespace

FrameworkModel read_file(const std::string& path, const ReadOptions& options) {
  const auto mapped = std::make_shared<const MappedFile>(file_to_read(path));
  const Format& format = format_of_content(*mapped);
  FrameworkModel file = format.read(mapped, options);
  file.file = path;
  if (std::optional<Finding> note = note_of_shard(path)) file.findings.push_back(*std::move(note));
  if (!file.has_architecture) order_groups(file);
  return file;
}

std::vector<std::string> code_of(const std::string& path) {
  const auto mapped = std::make_shared<const MappedFile>(file_to_read(path));
  const Format& format = format_of_content(*mapped);
  return format.code ? format.code(mapped) : std::vector<std::string>{};
}

Side open_side(const std::string& path, const InputShapes& shapes, const ReadOptions& options) {
  return side_of(read_file(path, options), shapes);
}

Side side_of(FrameworkModel file, const InputShapes& shapes) {
  Side side;
  side.file = std::move(file);
  side.model = understand(side.file, shapes);
  return side;
}

void settle(Side& a, Side& b, const InputShapes& given) {
  const bool a_bare = !a.file.has_architecture;
  const bool b_bare = !b.file.has_architecture;
  if (a_bare && b_bare) return;
  if (!a_bare && !b_bare) {
    complete(a, b.model, given);
    complete(b, a.model, {});
  } else if (a_bare) {
    if (!given.empty()) b.model = understand(b.file, given);
    lend(a, b);
  } else {
    lend(b, a);
  }
}

Side read_back(Side& source, const Side& target, const Outputs& outputs) {
  Side side;
  ReadOptions options;
  options.path = outputs.front()->path();
  for (const auto& output : outputs)
    options.elsewhere[output->path().substr(output->path().rfind('/') + 1)] = output->temporary_path();
  side.file = read_file(outputs.front()->temporary_path(), options);
  side.file.file = outputs.front()->path();
  // The axes' names are known; not every format has a place for them.
  for (std::size_t i = 0; i < side.file.inputs.size() && i < target.file.inputs.size(); ++i) {
    side.file.inputs[i].axes = target.file.inputs[i].axes;
  }
  side.model = lift(side.file);
  // A format without architecture: the file was written from the target's.
  if (Side written = target; !side.file.has_architecture) {
    written.file.has_architecture = written.model.has_architecture;
    settle(written, side, {});
  }
  settle(source, side, {});
  return side;
}

}  // namespace tieout
