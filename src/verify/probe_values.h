// The values of a model under one probe, whoever computes them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "convert/match.h"
#include "tensor/array.h"

namespace tieout {

class ProbeValues {
 public:
  virtual ~ProbeValues() = default;

  // The value with this index in Model::values, in the model's own layout, until it is released. Null where
  // it cannot be shown.
  virtual const Array* value(int index) = 0;
  // It is not asked for any more.
  virtual void release(int index) = 0;
};

// Those that are in memory already, by their index.
std::unique_ptr<ProbeValues> recorded_values(std::vector<std::optional<Array>> values);

// What for_each_pair asks of one side: &Pair::a or &Pair::b.
std::set<int> paired_values(const Matching& matching, int Pair::*side);

// Calls `use` with the index in Matching::values and both values of each pair that both sides can show, in
// the order of the data, until it returns false. Each side is let go of what no later pair needs, so that two
// that compute as they are asked hold little at a time.
void for_each_pair(const Matching& matching, ProbeValues& a, ProbeValues& b,
                   const std::function<bool(std::size_t, const Array&, const Array&)>& use);

}  // namespace tieout
