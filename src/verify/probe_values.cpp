#include "verify/probe_values.h"

#include <map>
#include <utility>

namespace tieout {

namespace {

class RecordedValues final : public ProbeValues {
 public:
  explicit RecordedValues(std::vector<std::optional<Array>> values) : values_(std::move(values)) {}
  const Array* value(int index) override {
    const auto& known = values_.at(static_cast<std::size_t>(index));
    return known ? &*known : nullptr;
  }
  void release(int index) override { values_.at(static_cast<std::size_t>(index)).reset(); }

 private:
  std::vector<std::optional<Array>> values_;
};

// For each value, the last pair that needs it.
std::map<int, std::size_t> last_pairs(const Matching& matching, int Pair::*side) {
  std::map<int, std::size_t> last;
  for (std::size_t i = 0; i < matching.values.size(); ++i) last[matching.values[i].*side] = i;
  return last;
}

}  // namespace

std::unique_ptr<ProbeValues> recorded_values(std::vector<std::optional<Array>> values) {
  return std::make_unique<RecordedValues>(std::move(values));
}

std::set<int> paired_values(const Matching& matching, int Pair::*side) {
  std::set<int> paired;
  for (const Pair& pair : matching.values) paired.insert(pair.*side);
  return paired;
}

void for_each_pair(const Matching& matching, ProbeValues& a, ProbeValues& b,
                   const std::function<bool(std::size_t, const Array&, const Array&)>& use) {
  const auto last_a = last_pairs(matching, &Pair::a);
  const auto last_b = last_pairs(matching, &Pair::b);
  for (std::size_t i = 0; i < matching.values.size(); ++i) {
    const Pair& pair = matching.values[i];
    const Array* x = a.value(pair.a);
    const Array* y = b.value(pair.b);
    if (x != nullptr && y != nullptr && !use(i, *x, *y)) return;
    if (last_a.at(pair.a) == i) a.release(pair.a);
    if (last_b.at(pair.b) == i) b.release(pair.b);
  }
}

}  // namespace tieout
