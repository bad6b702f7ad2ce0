#include "open.h"

#include <memory>
#include <utility>

#include "base/mapped_file.h"
#include "convert/borrow.h"
#include "convert/complete.h"

namespace tieout {

namespace {

void lend(Side& bare, const Side& other) {
  Borrowed borrowed = borrow(bare.file, other.model);
  if (forbids_writing(borrowed.findings)) {
    bare.model.findings = std::move(borrowed.findings);
    return;
  }
  bare.file = std::move(borrowed.file);
  bare.model = lift(bare.file);
  bare.model.findings.insert(bare.model.findings.begin(), borrowed.findings.begin(), borrowed.findings.end());
  bare.architecture_assumed = true;
}

void complete(Side& open, const Model& other, const InputShapes& given) {
  const InputShapes shapes = complete_shapes(open.model, other, given);
  if (shapes != given) open.model = lift(open.file, shapes);
}

}  // namespace

Side open_side(const std::string& path, const InputShapes& shapes) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Format& format = format_of_content(*file);
  Side side;
  side.file = format.read(file);
  side.file.format = format.name;
  side.file.framework = format.framework;
  side.file.file = path;
  side.model = lift(side.file, shapes);
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
    lend(a, b);
  } else {
    lend(b, a);
  }
}

}  // namespace tieout
