#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/command.h"
#include "formats/format.h"

namespace tieout::cli {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// The table of docs/formats.md.
ExitCode list_markdown() {
  std::cout << "# File formats\n\nMade by `./dev build` from src/formats/ (`tieout formats --markdown`). A "
               "file is recognised by its "
               "content;\na target's format by its suffix.\n\n"
               "| format | framework | suffixes | read | written |\n|---|---|---|---|---|\n";
  for (const auto& format : all_formats()) {
    std::string suffixes;
    for (const auto& suffix : format.suffixes)
      suffixes += fmt::format("{}`{}`", suffixes.empty() ? "" : " ", suffix);
    std::cout << fmt::format("| {} | {} | {} | {} | {} |\n", format.title, to_string(format.framework),
                             suffixes, format.reads, format.write ? format.writes : "no");
  }
  return ExitCode::done;
}

ExitCode list(bool json) {
  Json all = Json::array();
  for (const auto& format : all_formats()) {
    const bool reads = static_cast<bool>(format.read);
    const bool writes = static_cast<bool>(format.write);
    if (!json) {
      fmt::print("{:<14} {:<24} {:<11} {}\n", format.name, joined(format.suffixes),
                 reads && writes ? "read, write" : "read", format.title);
      continue;
    }
    all.push_back({{"name", format.name},
                   {"framework", to_string(format.framework)},
                   {"title", format.title},
                   {"suffixes", format.suffixes},
                   {"reads", reads},
                   {"writes", writes}});
  }
  if (json) std::cout << all.dump(2) << "\n";
  return ExitCode::done;
}

}  // namespace

void add_formats(CLI::App& app, Chosen& chosen) {
  const auto json = std::make_shared<bool>(false);
  const auto markdown = std::make_shared<bool>(false);
  CLI::App* command = add_command(app, "formats", "List the file formats that are read and written",
                                  "  tieout formats\n  tieout formats --json\n");
  command->add_flag("--json", *json, "JSON on standard output, and nothing else there");
  command->add_flag("--markdown", *markdown, "the table of docs/formats.md");
  command->callback([json, markdown, &chosen] {
    chosen.json = *json;
    chosen.run = [json, markdown] { return *markdown ? list_markdown() : list(*json); };
  });
}

}  // namespace tieout::cli
