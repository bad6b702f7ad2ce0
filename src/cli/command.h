// What the commands of the program share. Each command is one file with one function that adds it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "convert/lift.h"
#include "tieout/error.h"

namespace tieout::cli {

// What main runs once the command line is parsed, and how it reports errors.
struct Chosen {
  std::function<ExitCode()> run;
  bool json = false;  // errors as JSON on standard output
};

void add_inspect(CLI::App& app, Chosen& chosen);
void add_convert(CLI::App& app, Chosen& chosen);
void add_match(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);
void add_run(CLI::App& app, Chosen& chosen);
void add_layers(CLI::App& app, Chosen& chosen);
void add_formats(CLI::App& app, Chosen& chosen);

// A subcommand with its examples under --help.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& what,
                      const std::string& examples);

// "--input-shape [NAME=]C,H,W", given any number of times. Error(usage) says what is wrong with one.
void add_input_shapes(CLI::App* command, std::vector<std::string>& texts);
InputShapes parse_input_shapes(const std::vector<std::string>& texts);

// "--key KEY": which of a checkpoint's models is meant.
void add_key(CLI::App* command, std::string& key);

// Colours: only on a terminal, and not when NO_COLOR is set (https://no-color.org).
bool colours_on_stdout();
bool colours_on_stderr();

}  // namespace tieout::cli
