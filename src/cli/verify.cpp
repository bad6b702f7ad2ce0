#include "verify/verify.h"

#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/compare_sides.h"
#include "cli/witness_options.h"
#include "report/verify_json.h"
#include "report/verify_text.h"
#include "tieout.h"
#include "verify/probe.h"

namespace tieout::cli {

namespace {

struct Options {
  std::string a;
  std::string b;
  std::string map;
  std::vector<std::string> shapes;
  std::vector<std::string> witnesses;
  WitnessOptions witness;
  std::string probe;
  ReadOptions reading;
  int probes = 3;
  std::uint64_t seed = 0;
  bool json = false;
};

// "A=torch", "B=keras".
void choose_witnesses(const Options& options, VerifyOptions& verify_options) {
  for (const auto& text : options.witnesses) {
    if (!text.starts_with("A=") && !text.starts_with("B=")) {
      throw usage_error("--witness " + text + " does not say for which model",
                        "write --witness A=torch or --witness B=keras");
    }
    (text[0] == 'A' ? verify_options.a : verify_options.b) = options.witness.spec(text.substr(2));
  }
}

ExitCode verify_files(const Options& options) {
  const InputShapes shapes = parse_input_shapes(options.shapes);
  Side a = open_side(options.a, shapes, options.reading);
  Side b = open_side(options.b, {}, options.reading);
  settle(a, b, shapes);
  VerifyOptions verify_options;
  choose_witnesses(options, verify_options);
  verify_options.probes = options.probes;
  verify_options.seed = options.seed;
  if (!options.probe.empty()) verify_options.probe = given_probe(a.model, read_tensors(options.probe));
  const auto map = options.map.empty() ? std::nullopt : std::optional(options.map);
  const VerifyResult result = compare_sides(a, b, match_sides(a, b, map), verify_options);
  if (options.json) {
    std::cout << verify_json(result).dump(2) << "\n";
  } else {
    std::cout << verify_text(result, colours_on_stdout());
  }
  return exit_code(result.verdict);
}

}  // namespace

void add_verify(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, "verify", "Compare two models layer by layer; name the first layer that differs, and why",
      "  tieout verify lenet5.pt lenet5.keras\n"
      "  tieout verify lenet5.pt lenet5.keras --witness A=torch --witness B=keras\n"
      "  tieout verify lenet5.pt lenet5.keras --probe digit.npy --json\n");
  command->add_option("A", options->a, "a model of either framework")->required();
  command->add_option("B", options->b, "the model that should compute the same")->required();
  command->add_option("--map", options->map, "which tensors correspond, as `tieout match -o` writes it");
  add_input_shapes(command, options->shapes);
  add_key(command, options->reading.key);
  command->add_option("--probe", options->probe,
                      "inputs (.npy, .npz, .safetensors) in A's layout; random ones otherwise");
  command->add_option("--probes", options->probes, "how many random probes")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of the random probes")->capture_default_str();
  command
      ->add_option("--witness", options->witnesses,
                   "A=... and B=...: interpreter (the default), plain (its slow reference), torch, keras, or "
                   "a file that `tieout run` recorded")
      ->take_all()
      ->allow_extra_args(false);
  add_witness_options(command, options->witness);
  command->add_flag("--json", options->json, "JSON on standard output, and nothing else there");
  command->callback([options, &chosen] {
    chosen.json = options->json;
    chosen.run = [options] { return verify_files(*options); };
  });
}

}  // namespace tieout::cli
