#include "report/verify_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "report/findings.h"
#include "report/terminal.h"

namespace tieout {

namespace {

constexpr std::size_t columns = 7;
using Cells = std::array<std::string, columns>;

std::string number(double value) {
  return value == 0 ? "0" : fmt::format("{:.2e}", value);
}

std::string named(const std::string& name, const std::string& kind) {
  // A root module has no name, a model's input no kind.
  return printable(name + (name.empty() || kind.empty() ? "" : " ") + kind);
}

Cells cells_of(const VerifyRow& row) {
  return {named(row.a, row.kind_a),
          named(row.b, row.kind_b),
          to_string(row.shape),
          number(row.max_abs),
          number(row.max_rel),
          number(row.tolerance),
          row.ties_out ? "ties out" : "DIFFERS"};
}

std::string line(const Cells& cells, const std::array<std::size_t, columns>& widths) {
  std::string text;
  for (std::size_t k = 0; k + 1 < columns; ++k) {
    const bool is_number = k >= 3;
    text += is_number ? fmt::format("{:>{}}  ", cells[k], widths[k])
                      : fmt::format("{:<{}}  ", cells[k], widths[k]);
  }
  return text;
}

std::string table(const VerifyResult& result, bool colours) {
  const Cells head{"A: " + printable(result.witness_a),
                   "B: " + printable(result.witness_b),
                   "shape",
                   "max abs",
                   "max rel",
                   "tolerance",
                   ""};
  std::vector<Cells> lines;
  for (const auto& row : result.rows) lines.push_back(cells_of(row));
  std::array<std::size_t, columns> widths{};
  for (std::size_t k = 0; k < columns; ++k) {
    widths[k] = head[k].size();
    for (const auto& cells : lines) widths[k] = std::max(widths[k], cells[k].size());
  }
  std::string text = line(head, widths);
  text.erase(text.find_last_not_of(' ') + 1);
  text += "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& row = result.rows[i];
    text += line(lines[i], widths) +
            coloured(lines[i].back(), row.ties_out ? Colour::green : Colour::red, colours);
    text += row.is_output ? "  output\n" : "\n";
  }
  return text;
}

Colour colour_of(Verdict verdict) {
  if (verdict == Verdict::ties_out) return Colour::green;
  return verdict == Verdict::differs ? Colour::red : Colour::yellow;
}

std::string verdict_line(const VerifyResult& result) {
  std::string text = to_string(result.verdict);
  if (result.verdict == Verdict::not_proven) {
    const auto reason = std::ranges::find_if(
        result.findings, [](const Finding& finding) { return finding.severity != Severity::note; });
    if (reason != result.findings.end()) text += ": " + printable(reason->message);
  }
  return text;
}

}  // namespace

std::string verify_summary(const VerifyResult& result, bool colours) {
  std::string text = findings_text(result.findings, colours);
  if (!result.rows.empty()) {
    text += fmt::format("largest difference: {} ({} of the layer's largest value)\n", number(result.max_abs),
                        number(result.max_rel));
  }
  return text + "verdict: " + coloured(verdict_line(result), colour_of(result.verdict), colours) + "\n";
}

std::string verify_text(const VerifyResult& result, bool colours) {
  std::string text = result.rows.empty() ? "" : table(result, colours) + "\n";
  if (result.first_difference) {
    const FirstDifference& first = *result.first_difference;
    text += fmt::format("first difference: {} | {}\n", printable(first.a), printable(first.b));
    text += fmt::format("cause: {}\n  {}\n", first.cause.empty() ? "not known" : printable(first.cause),
                        printable(first.message));
  }
  return text + verify_summary(result, colours);
}

}  // namespace tieout
