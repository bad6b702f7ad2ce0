// What is said about a model without stopping: all findings are collected and reported at once.
#pragma once

#include <string>
#include <vector>

namespace tieout {

enum class Severity {
  note,     // worth knowing; nothing is wrong
  warning,  // an assumption: the verdict cannot be "ties out"
  forbids   // nothing may be written
};

struct Finding {
  Severity severity = Severity::note;
  std::string layer;  // its name in the file, empty when the finding is about the whole model
  std::string message;
  std::string way_out;  // what the user can do; empty for notes
};

using Findings = std::vector<Finding>;

inline bool forbids_writing(const Findings& findings) {
  for (const auto& finding : findings) {
    if (finding.severity == Severity::forbids) return true;
  }
  return false;
}

}  // namespace tieout
