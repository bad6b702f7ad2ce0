#include "report/inspect.h"

#include <iostream>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "open.h"
#include "report/check.h"
#include "report/findings.h"

namespace tieout::cli {

namespace {

struct Options {
  std::string file;
  std::vector<std::string> shapes;
  bool check = false;
  ReadOptions reading;
  bool json = false;
};

// Every tensor once, so that damage in the data (a checksum that is wrong) is found too.
void read_through(const FrameworkModel& file) {
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.source->view().empty()) static_cast<void>(tensor.load());
  }
}

// A checkpoint of several models is listed as a whole, with what other commands would say of it.
Side open(const Options& options) {
  const auto read = [&]() -> FrameworkModel {
    try {
      return read_file(options.file, options.reading);
    } catch (const Error& several) {
      if (several.kind() != ErrorKind::usage || !options.reading.key.empty()) throw;
      ReadOptions reading = options.reading;
      reading.key = ".";
      FrameworkModel file = read_file(options.file, reading);
      file.findings.push_back({Severity::note, "", several.what(), several.hint()});
      return file;
    }
  };
  return side_of(read(), parse_input_shapes(options.shapes));
}

ExitCode inspect(const Options& options) {
  const Side side = open(options);
  std::optional<FileCheck> check;
  if (options.check) {
    check = check_file(side.file, code_of(options.file));
  } else {
    read_through(side.file);
  }
  if (options.json) {
    Json listing = inspect_json(side.file, side.model);
    if (check) listing["check"] = check_json(*check);
    std::cout << listing.dump(2) << "\n";
  } else {
    std::cout << inspect_text(side.file, side.model)
              << findings_text(side.model.findings, colours_on_stdout()) << (check ? check_text(*check) : "");
  }
  return !check || check->clean() ? ExitCode::done : ExitCode::differs;
}

}  // namespace

void add_inspect(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, "inspect", "Show a file's layers, tensors, shapes and parameter counts",
                  "  tieout inspect lenet5.keras\n"
                  "  tieout inspect lenet5.pt --input-shape 1,28,28\n"
                  "  tieout inspect lenet5.safetensors --json\n"
                  "  tieout inspect checkpoint.pt --key ema\n"
                  "  tieout inspect from_a_stranger.pt --check\n");
  command->add_option("FILE", options->file, "a model or weights file of either framework")->required();
  add_input_shapes(command, options->shapes);
  add_key(command, options->reading.key);
  command->add_flag(
      "--check", options->check,
      "also say whether the file is whole and safe: checksums, NaN and infinities, and code that loading "
      "it would run; exit code 1 when something is found");
  command->add_flag("--json", options->json, "JSON on standard output, and nothing else there");
  command->callback([options, &chosen] {
    chosen.json = options->json;
    chosen.run = [options] { return inspect(*options); };
  });
}

}  // namespace tieout::cli
