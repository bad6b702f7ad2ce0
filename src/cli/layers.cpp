#include <iostream>
#include <memory>

#include "cli/command.h"
#include "report/layers_list.h"

namespace tieout::cli {

namespace {

struct Options {
  bool json = false;
  bool cases = false;
  bool markdown = false;
};

ExitCode list(const Options& options) {
  if (options.cases) {
    std::cout << cases_json().dump(1) << "\n";
  } else if (options.json) {
    std::cout << layers_json().dump(2) << "\n";
  } else {
    std::cout << (options.markdown ? layers_markdown() : layers_text());
  }
  return ExitCode::done;
}

}  // namespace

void add_layers(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, "layers", "List the layer classes of both frameworks and how each is carried",
                  "  tieout layers\n  tieout layers --json\n");
  command->add_flag("--json", options->json, "JSON on standard output, and nothing else there");
  command->add_flag("--markdown", options->markdown, "the table of docs/layers.md");
  command->add_flag("--cases", options->cases,
                    "as JSON, the settings in which the judge tests run each class");
  command->callback([options, &chosen] {
    chosen.json = options->json || options->cases;
    chosen.run = [options] { return list(*options); };
  });
}

}  // namespace tieout::cli
