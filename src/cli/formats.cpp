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
  CLI::App* command = add_command(app, "formats", "List the file formats that are read and written",
                                  "  tieout formats\n  tieout formats --json\n");
  command->add_flag("--json", *json, "JSON on standard output, and nothing else there");
  command->callback([json, &chosen] {
    chosen.json = *json;
    chosen.run = [json] { return list(*json); };
  });
}

}  // namespace tieout::cli
