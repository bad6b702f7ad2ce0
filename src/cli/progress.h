// How far a long write is: one line on a terminal, which goes away.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tieout::cli {

class Progress {
 public:
  // `total` bytes will be written. Says nothing where standard error is no terminal.
  explicit Progress(std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One call at a time.
  void add(std::uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t total_;
  std::uint64_t done_ = 0;
  bool shown_ = false;
  bool terminal_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point next_;
};

// "412 of 1024 MiB (40 %), 1290 MiB/s, 1 s left"
std::string progress_text(std::uint64_t done, std::uint64_t total, double seconds);

}  // namespace tieout::cli
