#include "report/layers_list.h"

#include <fmt/format.h>

#include <algorithm>

namespace tieout {

namespace {

struct Entry {
  Framework framework;
  ClassEntry of_class;
  const LayerKind* kind;
  long cases;
};

const char* status_text(Status status) {
  switch (status) {
    case Status::exact:
      return "exact";
    case Status::composed:
      return "composed";
    case Status::refused:
      break;
  }
  return "refused";
}

// The settings in which the class is judged, whichever kind has them. An activation function is judged in
// Keras' layer around it.
long cases_of(Framework framework, const std::string& class_name) {
  const auto judges = [&](const Case& one) {
    if (one.framework != framework) return false;
    if (one.class_name == class_name) return true;
    return one.class_name == "Activation" && one.settings.contains("activation") &&
           one.settings["activation"].is_string() &&
           "activation:" + one.settings["activation"].get<std::string>() == class_name;
  };
  long count = 0;
  for (const auto& kind : all_layers()) count += std::ranges::count_if(kind.cases, judges);
  return count;
}

std::vector<Entry> entries() {
  std::vector<Entry> all;
  for (const auto& kind : all_layers()) {
    for (const Framework framework : {Framework::torch, Framework::keras}) {
      for (const auto& of_class : framework == Framework::torch ? kind.torch : kind.keras) {
        all.push_back({framework, of_class, &kind, cases_of(framework, of_class.name)});
      }
    }
  }
  std::ranges::stable_sort(all, [](const Entry& a, const Entry& b) {
    return std::tie(a.framework, a.of_class.name) < std::tie(b.framework, b.of_class.name);
  });
  return all;
}

}  // namespace

Json layers_json() {
  Json list = Json::array();
  for (const auto& entry : entries()) {
    list.push_back({{"framework", to_string(entry.framework)},
                    {"class", entry.of_class.name},
                    {"status", status_text(entry.of_class.status)},
                    {"kind", entry.kind->name},
                    {"reason", entry.of_class.reason},
                    {"cases", entry.cases}});
  }
  return list;
}

Json cases_json() {
  Json list = Json::array();
  for (const auto& kind : all_layers()) {
    Json mistakes = Json::array();
    for (const auto& mistake : kind.mistakes) mistakes.push_back(mistake.name);
    for (const auto& one : kind.cases) {
      list.push_back({{"kind", kind.name},
                      {"mistakes", mistakes},
                      {"name", one.name},
                      {"framework", to_string(one.framework)},
                      {"class", one.class_name},
                      {"settings", one.settings.is_null() ? Json::object() : one.settings},
                      {"input_shapes", one.input_shapes},
                      {"inputs", one.inputs},
                      {"keras_rounds_to_float32", one.keras_rounds_to_float32},
                      {"target_refuses", one.target_refuses},
                      {"back_refuses", one.back_refuses}});
    }
  }
  return list;
}

std::string layers_text() {
  std::string text;
  for (const auto& entry : entries()) {
    text += fmt::format("{:<6} {:<28} {:<9} {:>3} cases  {:<22} {}\n", to_string(entry.framework),
                        entry.of_class.name, status_text(entry.of_class.status), entry.cases,
                        entry.kind->name, entry.of_class.reason);
  }
  return text;
}

std::string layers_markdown() {
  std::string text =
      "# Layers\n\nMade by `./dev build` from the records in src/layers/ (`tieout layers --markdown`).\n"
      "Cases: settings in which the real frameworks judge the class, in both directions.\n\n"
      "| framework | class | status | kind | cases | reason |\n|---|---|---|---|---|---|\n";
  for (const auto& entry : entries()) {
    text +=
        fmt::format("| {} | `{}` | {} | {} | {} | {} |\n", to_string(entry.framework), entry.of_class.name,
                    status_text(entry.of_class.status), entry.kind->name, entry.cases, entry.of_class.reason);
  }
  return text;
}

}  // namespace tieout
