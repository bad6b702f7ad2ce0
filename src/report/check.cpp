#include "report/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/terminal.h"

namespace tieout {

namespace {

// Keras rebuilds these from code that the file holds (keras/src/layers/core/lambda_layer.py,
// keras/src/saving/serialization_lib.py: "__lambda__" is marshalled byte code).
bool is_code(const std::string& class_name) {
  return class_name == "Lambda" || class_name == "__lambda__";
}

// Keras imports the module that an object names.
bool is_foreign(const std::string& module) {
  return !module.empty() && module != "keras" && !module.starts_with("keras.") &&
         !module.starts_with("tf_keras") && module != "builtins";
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the JSON, whose depth the parser bounds.
void find_code(const Json& value, std::set<std::string>& found) {
  if (value.is_object()) {
    const auto text = [&](const char* key) {
      const auto member = value.find(key);
      return member != value.end() && member->is_string() ? member->get<std::string>() : std::string();
    };
    const std::string class_name = text("class_name");
    const std::string module = text("module");
    if (is_code(class_name)) found.insert("Python code in a " + class_name + " object, which Keras runs");
    if (!class_name.empty() && is_foreign(module)) found.insert("the class " + module + "." + class_name);
  }
  if (value.is_structured()) {
    for (const Json& member : value) find_code(member, found);
  }
}

}  // namespace

FileCheck check_file(const FrameworkModel& file, const std::vector<std::string>& code) {
  FileCheck check;
  for (const auto& [name, tensor] : file.tensors) {
    const SpecialValues values = special_values(tensor);
    check.floats += values.floats;
    if (values.nan + values.infinite > 0) check.special.push_back({name, values});
  }
  std::set<std::string> found(code.begin(), code.end());
  find_code(file.document, found);
  check.code.assign(found.begin(), found.end());
  return check;
}

std::string check_text(const FileCheck& check) {
  std::string text =
      "\ncheck: the file is whole: every record is there, every checksum that it has is right\n";
  if (check.special.empty())
    text += fmt::format("check: none of the {} floats is NaN or infinite\n", check.floats);
  for (const auto& [tensor, values] : check.special)
    text += fmt::format("check: {} has {} NaN and {} infinite of {} values\n", printable(tensor), values.nan,
                        values.infinite, values.floats);
  if (check.code.empty()) text += "check: safe: loading it runs no code of the file and imports none\n";
  for (const std::string& what : check.code)
    text += "check: NOT SAFE from a stranger: loading it uses " + printable(what) + "\n";
  return text;
}

Json check_json(const FileCheck& check) {
  Json special = Json::array();
  for (const auto& [tensor, values] : check.special)
    special.push_back({{"tensor", tensor}, {"nan", values.nan}, {"infinite", values.infinite}});
  return {{"clean", check.clean()}, {"floats", check.floats}, {"special", special}, {"code", check.code}};
}

}  // namespace tieout
