#include "report/findings.h"

#include <fmt/format.h>

#include "report/terminal.h"

namespace tieout {

namespace {

std::string head(Severity severity, bool colours) {
  switch (severity) {
    case Severity::forbids:
      return coloured("refused", Colour::red, colours);
    case Severity::warning:
      return coloured("assumed", Colour::yellow, colours);
    case Severity::note:
      break;
  }
  return "note";
}

}  // namespace

std::string findings_text(const Findings& findings, bool colours) {
  std::string text;
  for (const auto& finding : findings) {
    text +=
        fmt::format("{}: {}{}\n", head(finding.severity, colours),
                    finding.layer.empty() ? "" : printable(finding.layer) + ": ", printable(finding.message));
    if (!finding.way_out.empty()) text += fmt::format("  way out: {}\n", printable(finding.way_out));
  }
  return text;
}

std::string error_text(const Error& error, bool colours) {
  std::string text = coloured("tieout: ", Colour::red, colours) + printable(error.describe()) + "\n";
  if (!error.hint().empty()) text += "  " + printable(error.hint()) + "\n";
  return text;
}

Json error_json(const Error& error) {
  const auto& where = error.where();
  const auto text = [](const std::string& part) { return part.empty() ? Json(nullptr) : Json(part); };
  return {{"error",
           {{"kind", to_string(error.kind())},
            {"message", error.what()},
            {"file", text(where.file)},
            {"entry", text(where.entry)},
            {"offset", where.offset ? Json(*where.offset) : Json(nullptr)},
            {"tensor", text(where.tensor)},
            {"layer", text(where.layer)},
            {"hint", text(error.hint())}}}};
}

}  // namespace tieout
