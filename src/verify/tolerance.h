// How far two right computations of the same value may be apart.
#pragma once

#include <map>
#include <vector>

#include "convert/match.h"
#include "model/model.h"

namespace tieout {

// What is known about the two witnesses.
struct Precision {
  bool float64 = true;      // both
  bool real_keras = false;  // at least one: some of its constants are rounded to float32
  std::map<int, double>
      stored_sums;  // layer -> half the distance from 1 to the next number of what it stores
};

// For each value of the model: the tolerance relative to the largest absolute value of the array.
//
// Rounding errors of independent operations add in quadrature, so a value behind layers that sum f1, f2, ...
// products has noise of about u sqrt(f1 + f2 + ...) times its magnitude, u being half the distance from 1 to
// the next number. Each layer counts for at least 16 products (an activation is several operations). The
// tolerance is c times that:
//   float64: u = 2^-53, c = 64, and never less than 1e-12. A right conversion of LeNet-5 is at 1e-15, a wrong
//   one
//            above 1e-5, so a wide margin costs nothing.
//   float32: u = 2^-24, c = 4. Seen between the frameworks: 8e-7 for 576 products (u sqrt f = 1.4e-6), 3e-7
//   for 4096.
// A layer that the real Keras computes with constants rounded to float32 (its record's cases say so), and
// what follows it, is compared at 1e-6 at best (seen: up to 1.3e-8 for such constants, 1e-6 for resizing).
// Where one side stores a sum that the other keeps as terms (Keras' one LSTM bias, PyTorch's two), the sum
// was rounded when it was written: such a layer and what follows are compared as in float32 with that type's
// u. So is a layer whose weight is computed from others (convert/computed_weight.h).
std::vector<double> relative_tolerances(const Model& model, const Precision& precision);

// Precision::stored_sums of A's layers.
std::map<int, double> stored_sums(const Model& a, const FrameworkModel& file_a, const Model& b,
                                  const FrameworkModel& file_b, const Matching& matching);

}  // namespace tieout
