// Other parameters for two models, the same on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "convert/match.h"
#include "model/model.h"
#include "verify/interpreter.h"

namespace tieout {

// Model A's parameters, each multiplied by 1 + 0.5 u and moved by up to 0.1 (u uniform in [0, 1)), and the
// same in the layers of B that correspond. What is nowhere negative (a variance, a scale) stays so. A model's
// own parameters hide mistakes: a bias of zeros, a scale of ones. Parameters that one side does not store
// keep their constant on both. They are made when a layer is run; of the layer that was asked for last, the
// other side's are kept, which is the next to ask when the two go side by side.
class Perturbation {
 public:
  // All must outlive this, and this the sources.
  Perturbation(const Model& a, const FrameworkModel& file_a, const Model& b, const FrameworkModel& file_b,
               const Matching& matching, std::uint64_t seed);

  [[nodiscard]] ParameterSource a() const;
  [[nodiscard]] ParameterSource b() const;

 private:
  // Of a pair of layers, each side's in its own order.
  struct Both {
    std::shared_ptr<LayerParameters> a;
    std::shared_ptr<LayerParameters> b;
  };
  [[nodiscard]] Both of_pair(std::size_t pair) const;
  void add_moved(Both& both, std::size_t pair, std::size_t parameter) const;
  [[nodiscard]] std::shared_ptr<const LayerParameters> of_layer(const std::map<int, std::size_t>& pairs,
                                                                int layer, bool in_b) const;

  const Model& a_;
  const FrameworkModel& file_a_;
  const Model& b_;
  const FrameworkModel& file_b_;
  const Matching& matching_;
  std::uint64_t seed_;
  std::map<int, std::size_t> pairs_a_;  // from a layer to its place in Matching::layers
  std::map<int, std::size_t> pairs_b_;
  mutable std::optional<std::size_t> last_;  // the pair
  mutable Both kept_;                        // of it; null for the side that has them
};

}  // namespace tieout
