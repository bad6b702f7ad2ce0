#include "verify/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "verify/compare.h"
#include "verify/diagnose.h"
#include "verify/layout.h"
#include "verify/perturb.h"
#include "verify/probe.h"
#include "verify/tolerance.h"

namespace tieout {

namespace {

using Probes = std::vector<std::vector<Array>>;

const Axes& axes_of(const Model& model, int value) {
  return model.values.at(static_cast<std::size_t>(value)).axes;
}

class Verification {
 public:
  Verification(const Model& a, const FrameworkModel& file_a, const Model& b, const FrameworkModel& file_b,
               const Matching& matching, const VerifyOptions& options)
      : a_(a), file_a_(file_a), b_(b), file_b_(file_b), matching_(matching), options_(options) {}

  VerifyResult run() {
    collect_findings();
    const auto witness_a = make_witness(options_.a, a_, file_a_);
    const auto witness_b = make_witness(options_.b, b_, file_b_);
    result_.witness_a = witness_a->name();
    result_.witness_b = witness_b->name();
    // A model that could not be read completely cannot be run; its findings say what to do.
    if (forbids_writing(result_.findings)) return std::move(result_);
    make_probes();
    if (!run_witness(*witness_a, probes_a_) || !run_witness(*witness_b, probes_b_)) return std::move(result_);
    append(witness_a->notes());
    append(witness_b->notes());
    const bool float64 = witness_a->is_float64() && witness_b->is_float64();
    tolerances_ = tolerances({float64, witness_a->is_keras() || witness_b->is_keras(), {}});
    compare_all(*witness_a, *witness_b);
    conclude();
    return std::move(result_);
  }

 private:
  void append(const Findings& findings) {
    result_.findings.insert(result_.findings.end(), findings.begin(), findings.end());
  }

  void warn(const std::string& message, const std::string& way_out) {
    result_.findings.push_back({Severity::warning, "", message, way_out});
  }

  void collect_findings() {
    append(a_.findings);
    append(b_.findings);
    append(matching_.findings);
    for (const Model* model : {&a_, &b_}) {
      if (model->has_architecture) continue;
      result_.findings.push_back({Severity::forbids, "",
                                  model->file + " holds no architecture: it cannot be run",
                                  "give a file that holds it, or a template with --like"});
    }
  }

  // The user's inputs, the evidence's, or random ones; the same ones in B's layout.
  void make_probes() {
    if (!options_.probe.empty()) {
      probes_a_ = {options_.probe};
    } else if (auto recorded = recorded_inputs(options_.a, a_); !recorded.empty()) {
      probes_a_ = {std::move(recorded)};
    } else if (recorded = recorded_inputs(options_.b, b_); !recorded.empty()) {
      probes_b_ = {std::move(recorded)};
      probes_a_ = {moved(probes_b_[0], b_, a_)};
      return;
    } else {
      are_random_ = true;
      for (int i = 0; i < std::max(1, options_.probes); ++i)
        probes_a_.push_back(random_probe(a_, i, options_.seed));
    }
    for (const auto& probe : probes_a_) probes_b_.push_back(moved(probe, a_, b_));
  }

  static std::vector<Array> recorded_inputs(const WitnessSpec& spec, const Model& model) {
    std::vector<NamedTensor> inputs;
    for (const auto& tensor : spec.evidence) {
      if (tensor.name.starts_with("input/")) inputs.push_back(tensor);
    }
    return inputs.empty() ? std::vector<Array>{} : given_probe(model, inputs);
  }

  static std::vector<Array> moved(const std::vector<Array>& probe, const Model& from, const Model& to) {
    if (from.inputs.size() != to.inputs.size()) {
      throw usage_error(fmt::format("{} has {} inputs and {} has {}", from.file, from.inputs.size(), to.file,
                                    to.inputs.size()),
                        "compare models with the same inputs");
    }
    std::vector<Array> out;
    for (std::size_t i = 0; i < probe.size(); ++i) {
      const Axes& axes_from = axes_of(from, from.inputs[i]);
      const Axes& axes_to = axes_of(to, to.inputs[i]);
      auto array = to_layout(probe[i], axes_from, axes_to);
      if (!array || !fits(array->shape, axes_to)) {
        throw usage_error(
            fmt::format("the input {} of {}, [{}] {}, does not correspond to the input {} of {}, [{}] {}",
                        from.input_names[i], from.file, to_pattern(axes_from), to_string(probe[i].shape),
                        to.input_names[i], to.file, to_pattern(axes_to), to_string(shape_of(axes_to))),
            "compare models with the same inputs, or give the shape with --input-shape");
      }
      out.push_back(std::move(*array));
    }
    return out;
  }

  static bool fits(const Shape& shape, const Axes& axes) {
    if (shape.size() != axes.size()) return false;
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (axes[k].size != unknown && axes[k].size != shape[k]) return false;
    }
    return true;
  }

  bool run_witness(Witness& witness, const Probes& probes) {
    try {
      witness.run(probes);
      return true;
    } catch (const WitnessFailure& failure) {
      warn(failure.message, failure.way_out);
      return false;
    }
  }

  void compare_all(const Witness& witness_a, const Witness& witness_b) {
    rows_.resize(matching_.values.size());
    worst_.assign(rows_.size(), 0);
    const auto wanted_a = paired_values(matching_, &Pair::a);
    const auto wanted_b = paired_values(matching_, &Pair::b);
    for (std::size_t probe = 0; probe < probes_a_.size(); ++probe) {
      const auto left = witness_a.values(probe, wanted_a);
      const auto right = witness_b.values(probe, wanted_b);
      for_each_pair(matching_, *left, *right, [&](std::size_t index, const Array& x, const Array& y) {
        compare_pair(index, probe, x, y);
        count_compared();
        return true;
      });
    }
  }

  void count_compared() {
    if (!options_.on_compared) return;
    const std::size_t runs = options_.perturb && both_interpreted() ? 2 : 1;
    const std::size_t total = runs * probes_a_.size() * matching_.values.size();
    options_.on_compared(std::min(++compared_, total), total);
  }

  void compare_pair(std::size_t index, std::size_t probe, const Array& x, const Array& y) {
    const Pair& pair = matching_.values[index];
    const double relative = tolerances_.at(static_cast<std::size_t>(pair.a));
    const Comparison compared = compare(x, axes_of(a_, pair.a), y, axes_of(b_, pair.b), relative);
    VerifyRow row = named_row(pair);
    row.shape = x.shape;
    row.max_abs = compared.max_abs;
    row.max_rel = compared.max_rel();
    row.tolerance = relative * compared.magnitude;
    row.ties_out = compared.ties_out;
    row.note = compared.note;
    auto& kept = rows_[index];
    // A row that does not tie out wins over one that does; then the larger relative difference.
    const bool worse = !kept || std::pair(kept->ties_out ? 0 : 1, kept->max_rel) <
                                    std::pair(row.ties_out ? 0 : 1, row.max_rel);
    if (!worse) return;
    kept = std::move(row);
    worst_[index] = probe;
  }

  [[nodiscard]] VerifyRow named_row(const Pair& pair) const {
    VerifyRow row;
    name(a_, pair.a, row.a, row.kind_a);
    name(b_, pair.b, row.b, row.kind_b);
    row.is_output = std::ranges::find(a_.outputs, pair.a) != a_.outputs.end() &&
                    std::ranges::find(b_.outputs, pair.b) != b_.outputs.end();
    return row;
  }

  static void name(const Model& model, int value, std::string& name, std::string& kind) {
    const int layer = model.producer(value);
    if (layer >= 0) {
      name = model.layers[static_cast<std::size_t>(layer)].name;
      kind = model.layers[static_cast<std::size_t>(layer)].kind;
      return;
    }
    const auto input = std::ranges::find(model.inputs, value);
    if (input != model.inputs.end())
      name = model.input_names.at(static_cast<std::size_t>(input - model.inputs.begin()));
  }

  void conclude() {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i]) continue;
      if (!rows_[i]->ties_out && !first) first = i;
      // NaN in the same places is worth a word even where the row ties out.
      if (!rows_[i]->note.empty()) {
        result_.findings.push_back({Severity::note, rows_[i]->a, rows_[i]->note, ""});
      }
      result_.max_abs = std::max(result_.max_abs, rows_[i]->max_abs);
      result_.max_rel = std::max(result_.max_rel, rows_[i]->max_rel);
      result_.rows.push_back(*rows_[i]);
    }
    check_outputs();
    const bool assumed = std::ranges::any_of(
        result_.findings, [](const Finding& finding) { return finding.severity != Severity::note; });
    if (first) {
      result_.verdict = Verdict::differs;
      explain(*first);
    } else if (perturbed_differ()) {
      result_.verdict = Verdict::differs;
    } else {
      result_.verdict = assumed ? Verdict::not_proven : Verdict::ties_out;
    }
  }

  // Layers that tie out prove nothing where an output was not compared.
  void check_outputs() {
    std::set<int> compared;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] && rows_[i]->is_output) compared.insert(matching_.values[i].a);
    }
    std::set<int> outputs(a_.outputs.begin(), a_.outputs.end());
    const std::size_t missing = outputs.size() - compared.size();
    if (outputs.empty()) warn("the model has no output that could be compared", "give a model with outputs");
    if (missing > 0) {
      warn(fmt::format("{} of {} outputs could not be compared", missing, outputs.size()),
           "use the interpreter as the witness, or record evidence that holds them");
    }
  }

  void explain(std::size_t row) {
    const VerifyRow& seen = *rows_[row];
    result_.first_difference = FirstDifference{seen.a, seen.b, "", ""};
    FirstDifference& first = *result_.first_difference;
    try {
      const auto known =
          diagnosis({a_, file_a_}, {b_, file_b_}, probes_a_.at(worst_[row]), probes_b_.at(worst_[row]));
      first.message =
          "the interpreter sees no difference between the files: one of the witnesses computes otherwise";
      if (known) first = {known->a, known->b, known->cause, known->message};
    } catch (const Error& error) {
      // A witness of the framework runs what the interpreter refuses.
      first.message = "the cause could not be looked for: " + error.describe();
    }
  }

  // Diagnosed by the interpreter, whoever the witnesses are: it alone can be run with a layer changed.
  [[nodiscard]] std::optional<Diagnosis> diagnosis(const DiagnosedSide& left, const DiagnosedSide& right,
                                                   const std::vector<Array>& inputs_a,
                                                   const std::vector<Array>& inputs_b) {
    return diagnose(left, inputs_a, right, inputs_b, matching_, tolerances({}), [this] { count_compared(); });
  }

  [[nodiscard]] std::vector<double> tolerances(Precision precision) const {
    precision.stored_sums = stored_sums(a_, file_a_, b_, file_b_, matching_);
    return relative_tolerances(a_, precision);
  }

  [[nodiscard]] bool both_interpreted() const {
    return options_.a.kind == WitnessSpec::Kind::interpreter &&
           options_.b.kind == WitnessSpec::Kind::interpreter;
  }

  // The comparison with other parameters, the same on both sides, and a larger random probe: shows what zero
  // biases, unit scales and small numbers hide.
  bool perturbed_differ() {
    if (!options_.perturb || !both_interpreted()) return false;
    const Perturbation other(a_, file_a_, b_, file_b_, matching_, options_.seed);
    for (std::size_t probe = 0; probe < probes_a_.size(); ++probe) {
      const bool widens = are_random_ && probe == 0;
      const auto inputs = widens ? widened(a_, probes_a_[probe]) : probes_a_[probe];
      const auto known = diagnosis({a_, file_a_, other.a()}, {b_, file_b_, other.b()}, inputs,
                                   widens ? moved(inputs, a_, b_) : probes_b_[probe]);
      if (!known) continue;
      const std::string seen = widens ? "hidden by the weights or the size of the inputs (seen with all "
                                        "parameters perturbed and larger inputs): "
                                      : "hidden by the weights (seen with all parameters perturbed): ";
      result_.first_difference = FirstDifference{known->a, known->b, known->cause, seen + known->message};
      return true;
    }
    return false;
  }

  const Model& a_;
  const FrameworkModel& file_a_;
  const Model& b_;
  const FrameworkModel& file_b_;
  const Matching& matching_;
  const VerifyOptions& options_;
  VerifyResult result_;
  Probes probes_a_;
  Probes probes_b_;
  bool are_random_ = false;  // the probes, not the user's or the evidence's
  std::vector<double> tolerances_;
  std::vector<std::optional<VerifyRow>> rows_;
  std::vector<std::size_t> worst_;  // for each row, the probe that it shows
  std::size_t compared_ = 0;
};

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ties_out:
      return "ties out";
    case Verdict::differs:
      return "differs";
    case Verdict::not_proven:
      break;
  }
  return "not proven";
}

ExitCode exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::ties_out:
      return ExitCode::done;
    case Verdict::differs:
      return ExitCode::differs;
    case Verdict::not_proven:
      break;
  }
  return ExitCode::not_proven;
}

VerifyResult verify(const Model& a, const FrameworkModel& file_a, const Model& b,
                    const FrameworkModel& file_b, const Matching& matching, const VerifyOptions& options) {
  return Verification(a, file_a, b, file_b, matching, options).run();
}

}  // namespace tieout
