#include "tieout.h"

#include <utility>

#include "base/mapped_file.h"
#include "containers/json/json_text.h"
#include "convert/constraints.h"
#include "convert/group_order.h"
#include "convert/lower.h"
#include "convert/retype.h"
#include "convert/spool.h"
#include "formats/torch_groups.h"
#include "tieout/error.h"

namespace tieout {

namespace {

Side target_of(Side& source, const ConvertOptions& options, const Format& format, Findings& findings) {
  if (options.like) {
    Side target = open_side(*options.like, {}, options.reading);
    if (target.file.framework != format.framework) {
      throw usage_error("the template " + *options.like + " is of another framework than " + options.target,
                        "give the target the template's suffix");
    }
    const Findings constraints = refuse_constraints(target.file);
    findings.insert(findings.end(), constraints.begin(), constraints.end());
    settle(source, target, options.input_shapes);
    return target;
  }
  if (source.file.framework == format.framework) {
    Side same = source;
    // Tensors that are not understood are written as they were read, whatever the lift made of them.
    if (!source.file.has_architecture) {
      same.file = read_file(options.source, options.reading);
      spool_large_tensors(same.file);
    }
    if (same.file.framework == Framework::torch) keep_model_only(same.file);
    return same;
  }
  if (!source.file.has_architecture) {
    throw usage_error(options.source + " holds tensors but no architecture",
                      "give a model of the target's framework to carry them into: --like TEMPLATE");
  }
  if (forbids_writing(source.model.findings)) return {};
  Lowering lowering = lower(source.model, format.framework);
  findings.insert(findings.end(), lowering.findings.begin(), lowering.findings.end());
  return {std::move(lowering.target), std::move(lowering.model), false};
}

void append(Findings& all, const Findings& more) {
  all.insert(all.end(), more.begin(), more.end());
}

Json read_map(const std::string& path) {
  const MappedFile file(path);
  Where where;
  where.file = path;
  return parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, where);
}

// Everything but the element types.
Conversion plan_conversion(const ConvertOptions& options) {
  Conversion c;
  c.format = &format_of_name(options.target);
  if (!c.format->write) throw usage_error("files of the format " + c.format->name + " are read only");
  c.source = open_side(options.source, options.input_shapes, options.reading);
  spool_large_tensors(c.source.file);
  if (c.source.file.tensors.empty() && !c.source.file.has_architecture &&
      !forbids_writing(c.source.file.findings)) {
    throw unsupported("the file holds no tensors and no architecture: there is nothing to carry",
                      {.file = options.source, .entry = {}, .offset = {}, .tensor = {}, .layer = {}},
                      "give the file that holds the weights");
  }
  if (forbids_writing(c.source.file.findings)) {
    c.findings = c.source.file.findings;
    return c;
  }
  c.target = target_of(c.source, options, *c.format, c.findings);
  const bool same_file = !options.like && c.source.file.framework == c.format->framework;
  // A file that is only written in another format of its framework need not be understood.
  const bool understood = !same_file || c.source.file.has_architecture;
  append(c.findings, understood ? c.source.model.findings : c.source.file.findings);
  if (options.like) append(c.findings, c.target.model.findings);
  if (same_file || forbids_writing(c.findings)) return c;
  c.matching = match(c.source.model, c.target.model);
  if (!c.source.file.has_architecture && !c.target.file.has_architecture) {
    append(c.findings, unknown_order(c.source.file));
    append(c.findings, unknown_order(c.target.file));
  }
  c.plan = options.map ? plan_from_json(read_map(*options.map), c.source.file, c.target.file)
                       : make_plan(c.source.model, c.source.file, c.target.model, c.target.file, c.matching);
  append(c.findings, c.plan.findings);
  if (forbids_writing(c.findings)) return c;
  c.target.file = carried(c.plan, c.source.file, c.target.file);
  // What was only assumed is not written down as if it were known.
  if (c.target.architecture_assumed) c.target.file.has_architecture = false;
  return c;
}

// The source is rounded too, since the target is compared with it.
void round_weights(Conversion& c, DType to) {
  append(c.findings, retype(c.target.file, to));
  retype(c.source.file, to);
}

}  // namespace

Conversion prepare(const ConvertOptions& options) {
  Conversion c = plan_conversion(options);
  if (options.dtype && !forbids_writing(c.findings)) round_weights(c, *options.dtype);
  return c;
}

Outputs write(const Conversion& conversion, const ConvertOptions& options) {
  if (forbids_writing(conversion.findings)) throw internal_error("a forbidden conversion was to be written");
  Outputs outputs = conversion.format->write(conversion.target.file, options.target, options.writing);
  check_files_unchanged();
  return outputs;
}

Matching match_sides(const Side& a, const Side& b, const std::optional<std::string>& map) {
  if (!map) return match(a.model, b.model);
  return match_by_plan(a.model, b.model, plan_from_json(read_map(*map), a.file, b.file));
}

}  // namespace tieout
