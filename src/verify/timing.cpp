#include "verify/timing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "verify/interpreter.h"

namespace tieout {

Timing time_forward(const Model& model, const FrameworkModel& file, const std::vector<Array>& inputs,
                    int repeats, bool plain) {
  Timing timing;
  std::map<int, LayerParameters> parameters;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& loaded =
        parameters.emplace(static_cast<int>(i), load_parameters(model.layers[i], file)).first->second;
    for (const auto& [name, array] : loaded) timing.weights += array.count() * sizeof(double);
  }
  const std::set<int> outputs(model.outputs.begin(), model.outputs.end());
  std::size_t most = 0;
  std::vector<double> seconds;
  for (int k = 0; k < std::max(repeats, 1); ++k) {
    const auto start = std::chrono::steady_clock::now();
    interpret(
        model, file, inputs,
        {.parameters = parameters_from(parameters), .keep = &outputs, .plain = plain, .most_bytes = &most});
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(seconds);
  timing.seconds = seconds[seconds.size() / 2];
  timing.most_values = most;
  return timing;
}

}  // namespace tieout
