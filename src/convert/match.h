// Which layers of two models correspond.
#pragma once

#include <vector>

#include "model/model.h"

namespace tieout {

struct Pair {
  int a = 0;
  int b = 0;
};

struct Matching {
  std::vector<Pair> layers;  // in the order of the data; layers with parameters correspond one to one
  std::vector<Pair>
      values;  // values that should be equal, once their axes are in the same order; in that order
  std::vector<int> unmatched_a;  // layers that compute something and have no partner
  std::vector<int> unmatched_b;
  Findings findings;
};

// Follows both graphs from their outputs back to their inputs and aligns the layers by kind, in the order of
// the data; never by shape alone. Layers with parameters must all find a partner: those that do not are
// findings that list the candidates. Layers without effect in inference (dropout) and layout helpers
// (permute, zero padding) need none.
Matching match(const Model& a, const Model& b);

// Adds the values that the paired layers put out, and the models' outputs, to matching.values.
void pair_values(Matching& matching, const Model& a, const Model& b);

}  // namespace tieout
