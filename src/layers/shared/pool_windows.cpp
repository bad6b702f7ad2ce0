#include <algorithm>

#include "layers/shared/pool_write.h"
#include "layers/shared/taps.h"

namespace tieout {

namespace {

// The cells of window `at`, those outside replaced by the nearest of the window inside: the largest number
// stays the same. Empty: all are outside.
std::vector<std::int64_t> cells_of(const PoolRun& run, std::int64_t at) {
  const std::int64_t first = at * run.stride - run.low;
  std::vector<std::int64_t> inside;
  for (std::int64_t k = 0; k < run.kernel; ++k) {
    const std::int64_t cell = first + k * run.dilation;
    if (cell >= 0 && cell < run.size) inside.push_back(cell);
  }
  if (inside.empty()) return {};
  std::vector<std::int64_t> cells;
  for (std::int64_t k = 0; k < run.kernel; ++k)
    cells.push_back(std::clamp(first + k * run.dilation, inside.front(), inside.back()));
  return cells;
}

[[noreturn]] void refuse_empty(Lowerer& lowerer) {
  lowerer.refuse("a window lies in the padding with all its cells", "use a smaller padding or dilation");
}

// Where windows have no dilation, the border's cells repeated in front and behind are enough.
std::vector<std::int64_t> laid_out(Lowerer& lowerer, const PoolRun& run) {
  std::vector<std::int64_t> all;
  if (run.dilation == 1) {
    for (std::int64_t at = -run.low; at < (run.count - 1) * run.stride + run.kernel - run.low; ++at)
      all.push_back(std::clamp<std::int64_t>(at, 0, run.size - 1));
    return all;
  }
  for (std::int64_t at = 0; at < run.count; ++at) {
    const auto cells = cells_of(run, at);
    if (cells.empty()) refuse_empty(lowerer);
    all.insert(all.end(), cells.begin(), cells.end());
  }
  return all;
}

void write_maximum(Lowerer& lowerer, const std::vector<PoolRun>& runs) {
  const auto names = spatial_names(runs.size());
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const PoolRun& run = runs[k];
    const auto cells = laid_out(lowerer, run);
    kernel.push_back(run.kernel);
    strides.push_back(run.dilation == 1 ? run.stride : run.kernel);
    bool unchanged = static_cast<std::int64_t>(cells.size()) == run.size;
    for (std::size_t i = 0; i < cells.size(); ++i)
      unchanged = unchanged && cells[i] == static_cast<std::int64_t>(i);
    if (!unchanged) add_keras_take(lowerer, k + 1, cells, "windows_" + names[k]);
  }
  lowerer.add("MaxPooling" + std::to_string(runs.size()) + "D",
              {{"pool_size", kernel}, {"strides", strides}, {"padding", "valid"}});
}

// The mean of a window is the mean along one axis after the other, each divided by what counts there.
Taps weights_of(const Json& settings, const std::vector<PoolRun>& runs, std::size_t axis) {
  const PoolRun& run = runs[axis];
  const Padding padding = paddings_from(settings)[axis];
  Taps taps;
  for (std::int64_t at = 0; at < run.count; ++at) {
    const std::int64_t first = at * run.stride - run.low;
    const std::int64_t begin = std::max<std::int64_t>(first, 0);
    const std::int64_t end = std::min(first + run.kernel, run.size);
    double count = static_cast<double>(end - begin);
    if (settings["count_padding"].get<bool>())
      count = static_cast<double>(std::min(first + run.kernel, run.size + padding.high) - first);
    if (!settings["divisor"].is_null()) count = axis == 0 ? settings["divisor"].get<double>() : 1;
    std::vector<Tap> cells;
    for (std::int64_t cell = begin; cell < end; ++cell) cells.push_back({cell, 1 / count});
    taps.push_back(cells);
  }
  return taps;
}

void write_mean(Lowerer& lowerer, const std::vector<PoolRun>& runs) {
  const auto names = spatial_names(runs.size());
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const auto taps = weights_of(lowerer.layer().settings, runs, k);
    if (std::ranges::any_of(taps, [](const auto& cells) { return cells.empty(); })) refuse_empty(lowerer);
    add_keras_taps(lowerer, k + 1, taps, k + 1 == runs.size() ? "" : names[k]);
  }
}

}  // namespace

void write_keras_windows(Lowerer& lowerer, const std::vector<PoolRun>& runs, PoolOf what) {
  what == PoolOf::maximum ? write_maximum(lowerer, runs) : write_mean(lowerer, runs);
}

}  // namespace tieout
