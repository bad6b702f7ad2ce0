#include <iostream>
#include <memory>

#include "base/output_file.h"
#include "cli/command.h"
#include "report/findings.h"
#include "report/plan_text.h"
#include "tieout.h"

namespace tieout::cli {

namespace {

struct Options {
  std::string source;
  std::string target;
  std::vector<std::string> shapes;
  ReadOptions reading;
  std::string out;
  bool json = false;
  bool force = false;
};

ExitCode match_files(const Options& options) {
  Side a = open_side(options.source, parse_input_shapes(options.shapes), options.reading);
  Side b = open_side(options.target, {}, options.reading);
  settle(a, b, parse_input_shapes(options.shapes));
  Plan plan = make_plan(a.model, a.file, b.model, b.file, match(a.model, b.model));
  plan.findings.insert(plan.findings.begin(), b.model.findings.begin(), b.model.findings.end());
  plan.findings.insert(plan.findings.begin(), a.model.findings.begin(), a.model.findings.end());
  if (!options.out.empty()) {
    OutputFile file(options.out, options.force);
    file.write(to_json(plan).dump(2) + "\n");
    file.commit();
  }
  if (options.json) {
    std::cout << to_json(plan).dump(2) << "\n";
  } else {
    std::cout << plan_text(plan) << findings_text(plan.findings, colours_on_stdout());
  }
  return forbids_writing(plan.findings) ? ExitCode::unsupported : ExitCode::done;
}

}  // namespace

void add_match(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, "match", "Show which source tensors fill which target tensors, and how; to edit and give back",
      "  tieout match lenet5.pt lenet5.keras\n"
      "  tieout match lenet5.pt lenet5.keras -o map.json\n"
      "  tieout convert lenet5.pt out.keras --like lenet5.keras --map map.json\n");
  command->add_option("SOURCE", options->source, "the model that has the weights")->required();
  command->add_option("TARGET", options->target, "the model that would get them")->required();
  add_input_shapes(command, options->shapes);
  add_key(command, options->reading.key);
  command->add_option("-o,--output", options->out, "write the map, as JSON, to this file");
  command->add_flag("--force", options->force, "overwrite the map file if it exists");
  command->add_flag("--json", options->json, "the map as JSON on standard output, and nothing else there");
  command->callback([options, &chosen] {
    chosen.json = options->json;
    chosen.run = [options] { return match_files(*options); };
  });
}

}  // namespace tieout::cli
