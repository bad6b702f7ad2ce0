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

}  // namespace

Progress::Progress(std::uint64_t total)
    : total_(total), terminal_(::isatty(STDERR_FILENO) != 0), next_(begun_ + first_after) {}

Progress::~Progress() {
  if (shown_) std::fputs(clear_line, stderr);
}

void Progress::add(std::uint64_t bytes) {
  done_ += bytes;
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  fmt::print(stderr, "{}{}", clear_line, progress_text(done_, total_, seconds));
  std::fflush(stderr);
  shown_ = true;
  next_ = now + each;
}

std::string progress_text(std::uint64_t done, std::uint64_t total, double seconds) {
  constexpr double mebibyte = 1 << 20;
  const double share = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double rate = static_cast<double>(done) / seconds;  // bytes per second
  const double left = rate == 0 ? 0 : static_cast<double>(total - std::min(done, total)) / rate;
  return fmt::format("{:.0f} of {:.0f} MiB ({:.0f} %), {:.0f} MiB/s, {:.0f} s left",
                     static_cast<double>(done) / mebibyte, static_cast<double>(total) / mebibyte, 100 * share,
                     rate / mebibyte, std::ceil(left));
}

}  // namespace tieout::cli
