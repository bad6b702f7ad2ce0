#include "cli/progress.h"

#include <doctest/doctest.h>

using namespace tieout::cli;

TEST_CASE("progress says how much, how fast and how long still") {
  constexpr std::uint64_t mebibyte = 1 << 20;
  CHECK(written_text(256 * mebibyte, 1024 * mebibyte, 2.0) == "256 of 1024 MiB (25 %), 128 MiB/s, 6 s left");
  CHECK(written_text(0, 0, 1.0) == "0 of 0 MiB (100 %), 0 MiB/s, 0 s left");
  CHECK(compared_text(120, 480, 4.0) == "compared 120 of 480 values (25 %), 12 s left");
}
