// The program: parses the command line, runs one command, and turns every error into a message and an exit
// code.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>

#include "base/mapped_file.h"
#include "cli/command.h"
#include "report/findings.h"

namespace {

using namespace tieout;

int report(const Error& error, bool json) {
  if (json) {
    std::cout << error_json(error).dump(2) << "\n";
  } else {
    std::cerr << error_text(error, cli::colours_on_stderr());
  }
  return static_cast<int>(exit_code(error.kind()));
}

// What was printed must have arrived: a pipe or a full disk can lose it.
void flush_output() {
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0) {
    throw io_error("standard output", "cannot write all of the output", "is the disk full?");
  }
}

// A command line that CLI11 does not take: as JSON when it asks for that.
int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const bool is_help = error.get_exit_code() == 0;
  const bool json =
      std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  if (!is_help && json)
    return report(usage_error(error.what(), "`tieout COMMAND --help` shows examples"), true);
  app.exit(error);
  return is_help ? 0 : static_cast<int>(ExitCode::usage);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Carries trained networks between PyTorch and Keras, both ways, and proves that the numbers tie out."};
  app.name("tieout");
  app.set_version_flag("--version", "tieout " TIEOUT_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, ties out; 1 does not tie out, --check found something; 2 usage;\n"
      "            3 cannot read or write; 4 malformed file; 5 unsupported, nothing written;\n"
      "            6 not proven; 70 a bug in tieout.\n"
      "`tieout COMMAND --help` shows examples.");
  cli::Chosen chosen;
  cli::add_inspect(app, chosen);
  cli::add_convert(app, chosen);
  cli::add_match(app, chosen);
  cli::add_verify(app, chosen);
  cli::add_run(app, chosen);
  cli::add_layers(app, chosen);
  cli::add_formats(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc, argv);
  }
  try {
    const ExitCode code = chosen.run();
    flush_output();
    return static_cast<int>(code);
  } catch (const Error& error) {
    return report(error, chosen.json);
  } catch (const std::bad_alloc&) {
    return report(io_error("", "out of memory", "use a machine with more, or a smaller input"), chosen.json);
  } catch (const std::exception& error) {
    return report(internal_error(error.what()), chosen.json);
  }
}

}  // namespace

int main(int argc, char** argv) {
  end_with_message_when_a_file_is_lost();
  return run(argc, argv);
}
