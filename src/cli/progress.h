// How far a long piece of work is: one line on a terminal, which goes away.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tieout::cli {

class Progress {
 public:
  using Text = std::string (*)(std::uint64_t done, std::uint64_t total, double seconds);

  // Says nothing where standard error is no terminal.
  explicit Progress(Text text);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One call at a time.
  void show(std::uint64_t done, std::uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  Text text_;
  bool shown_ = false;
  bool terminal_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point next_;
};

// Of bytes: "412 of 1024 MiB (40 %), 1290 MiB/s, 1 s left"
std::string written_text(std::uint64_t done, std::uint64_t total, double seconds);
// "compared 120 of 480 values (25 %), 12 s left"
std::string compared_text(std::uint64_t done, std::uint64_t total, double seconds);

}  // namespace tieout::cli
