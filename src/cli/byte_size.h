// Sizes on the command line.
#pragma once

#include <cstdint>
#include <string>

namespace tieout::cli {

// "500MB", "5 GB", "2GiB", "1048576": KB, MB, GB and TB count in thousands, as in Hugging Face's libraries;
// KiB, MiB, GiB and TiB in 1024s. Error(usage) for anything else, and for zero.
std::uint64_t parse_bytes(const std::string& text);

}  // namespace tieout::cli
