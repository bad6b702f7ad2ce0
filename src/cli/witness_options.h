// The options that say how a real framework is run.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "verify/witness.h"

namespace tieout::cli {

struct WitnessOptions {
  std::string torch_python;
  std::string keras_python;
  std::string torch_module;

  // "interpreter", "torch", "keras" or an evidence file, which is read here.
  [[nodiscard]] WitnessSpec spec(const std::string& text) const;
};

void add_witness_options(CLI::App* command, WitnessOptions& options);

}  // namespace tieout::cli
