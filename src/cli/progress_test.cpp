#include "cli/progress.h"

#include <doctest/doctest.h>

using namespace tieout::cli;

TEST_CASE("progress says how much, how fast and how long still") {
  constexpr std::uint64_t mebibyte = 1 << 20;
  CHECK(progress_text(256 * mebibyte, 1024 * mebibyte, 2.0) == "256 of 1024 MiB (25 %), 128 MiB/s, 6 s left");
  CHECK(progress_text(0, 0, 1.0) == "0 of 0 MiB (100 %), 0 MiB/s, 0 s left");
}
