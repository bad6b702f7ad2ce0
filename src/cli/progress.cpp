#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tieout::cli {

namespace {

// What is done sooner needs no progress; what takes longer is said anew this often.
constexpr auto first_after = std::chrono::milliseconds(500);
constexpr auto each = std::chrono::milliseconds(100);
constexpr const char* clear_line = "\r\x1b[K";

double percent(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? 100 : 100 * static_cast<double>(done) / static_cast<double>(total);
}

double seconds_left(std::uint64_t done, std::uint64_t total, double seconds) {
  if (done == 0) return 0;
  return std::ceil(static_cast<double>(total - std::min(done, total)) * seconds / static_cast<double>(done));
}

}  // namespace

Progress::Progress(Text text)
    : text_(text), terminal_(::isatty(STDERR_FILENO) != 0), next_(begun_ + first_after) {}

Progress::~Progress() {
  if (shown_) std::fputs(clear_line, stderr);
}

void Progress::show(std::uint64_t done, std::uint64_t total) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  fmt::print(stderr, "{}{}", clear_line, text_(done, total, seconds));
  std::fflush(stderr);
  shown_ = true;
  next_ = now + each;
}

std::string written_text(std::uint64_t done, std::uint64_t total, double seconds) {
  constexpr double mebibyte = 1 << 20;
  return fmt::format("{:.0f} of {:.0f} MiB ({:.0f} %), {:.0f} MiB/s, {:.0f} s left",
                     static_cast<double>(done) / mebibyte, static_cast<double>(total) / mebibyte,
                     percent(done, total), static_cast<double>(done) / seconds / mebibyte,
                     seconds_left(done, total, seconds));
}

std::string compared_text(std::uint64_t done, std::uint64_t total, double seconds) {
  return fmt::format("compared {} of {} values ({:.0f} %), {:.0f} s left", done, total, percent(done, total),
                     seconds_left(done, total, seconds));
}

}  // namespace tieout::cli
