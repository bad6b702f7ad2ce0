// Do two models compute the same? The figures layer by layer, the verdict, and the cause of the first
// difference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "convert/match.h"
#include "model/model.h"
#include "tensor/array.h"
#include "tieout/error.h"
#include "verify/witness.h"

namespace tieout {

struct VerifyOptions {
  WitnessSpec a;
  WitnessSpec b;
  // Inputs given by the user, one for each input of model A, in A's layout and order; empty: random ones.
  // Evidence that holds its inputs ("input/0") brings its own.
  std::vector<Array> probe;
  int probes = 3;  // how many random probes, where `probe` is empty
  std::uint64_t seed = 0;
  // Compare once more with all parameters perturbed, where the interpreter is the witness of both sides: zero
  // biases, unit scales and zero means hide mistakes.
  bool perturb = true;
  // Called when a pair of values was compared: how many were, and how many there are at most in all runs
  // together. Null: nobody asks.
  std::function<void(std::size_t done, std::size_t total)> on_compared{};
};

enum class Verdict { ties_out, differs, not_proven };
const char* to_string(Verdict verdict);  // "ties out", "differs", "not proven"
ExitCode exit_code(Verdict verdict);

// One pair of values that should be equal: the figures of the probe under which they are the furthest apart.
struct VerifyRow {
  std::string a;  // names of the layers that make them; a model input has its own
  std::string b;
  std::string kind_a;  // of those layers; empty for a model input
  std::string kind_b;
  Shape shape;  // of A's value, the probe's batch included
  double max_abs = 0;
  double max_rel = 0;    // max_abs over the largest absolute value of the two sides
  double tolerance = 0;  // what max_abs may be
  bool ties_out = false;
  bool is_output = false;  // of both models
  std::string note;        // "both have 3 NaN in the same places"; "the shapes differ: ..."
};

struct FirstDifference {
  std::string a;  // the layer with the cause, in A and in B
  std::string b;
  std::string cause;    // "flatten_order", "epsilon", "kernel"; empty when it is not known
  std::string message;  // one sentence that names both sides' values
};

struct VerifyResult {
  Verdict verdict = Verdict::not_proven;
  double max_abs = 0;  // over all rows
  double max_rel = 0;
  std::string witness_a;  // "interpreter", "torch", "keras", or the evidence's file
  std::string witness_b;
  std::vector<VerifyRow> rows;  // in the order of the data
  std::optional<FirstDifference> first_difference;
  Findings findings;  // why it is not proven; those of the models and of the matching included
};

// `matching` pairs values of a and b (convert/match). Both models must hold an architecture and know the
// shapes of their inputs but the batch: Error(usage) with --input-shape as the way out otherwise, and where
// the probe does not fit. A witness that dies is a finding, not an error.
VerifyResult verify(const Model& a, const FrameworkModel& file_a, const Model& b,
                    const FrameworkModel& file_b, const Matching& matching, const VerifyOptions& options);

}  // namespace tieout
