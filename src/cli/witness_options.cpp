#include "cli/witness_options.h"

#include "tieout.h"

namespace tieout::cli {

WitnessSpec WitnessOptions::spec(const std::string& text) const {
  WitnessSpec made = parse_witness(text);
  switch (made.kind) {
    case WitnessSpec::Kind::interpreter:
      break;
    case WitnessSpec::Kind::torch:
      made.python = torch_python;
      made.module = torch_module;
      break;
    case WitnessSpec::Kind::keras:
      made.python = keras_python;
      break;
    case WitnessSpec::Kind::evidence:
      made.evidence = read_tensors(made.file);
      break;
  }
  return made;
}

void add_witness_options(CLI::App* command, WitnessOptions& options) {
  command->add_option("--torch-python", options.torch_python,
                      "a python that has torch (TIEOUT_TORCH_PYTHON; python3 otherwise)");
  command->add_option("--keras-python", options.keras_python,
                      "a python that has keras (TIEOUT_KERAS_PYTHON; python3 otherwise)");
  command->add_option("--torch-module", options.torch_module,
                      "FILE.py:Class, the code of a state_dict's model (NAME.py beside NAME.pt otherwise)");
}

}  // namespace tieout::cli
