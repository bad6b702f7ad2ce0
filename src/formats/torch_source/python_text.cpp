#include "formats/torch_source/python_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tieout::torch_source {

namespace {

// Python 3.13, Lib/keyword.py.
constexpr std::array<std::string_view, 35> keywords{
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_keyword(std::string_view name) {
  return std::ranges::find(keywords, name) != keywords.end();
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

bool is_identifier(std::string_view name) {
  if (name.empty() || is_digit(name.front()) || is_keyword(name)) return false;
  return std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::string identifier(std::string_view name) {
  std::string text;
  for (const char c : name) text.push_back(is_letter(c) || is_digit(c) ? c : '_');
  if (text.empty()) return "layer";
  if (is_digit(text.front())) return "layer_" + text;
  if (text.front() == '_') return "layer" + text;
  return is_keyword(text) ? text + "_" : text;
}

std::string class_identifier(std::string_view name) {
  std::string text;
  bool begins = true;
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c)) {
      begins = true;
      continue;
    }
    text.push_back(begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    begins = false;
  }
  if (text.empty() || is_digit(text.front()) || is_keyword(text)) text.insert(0, "Model");
  return text;
}

std::string string_literal(std::string_view text) {
  const auto doubles = std::ranges::count(text, '"');
  const auto singles = std::ranges::count(text, '\'');
  const char quote = doubles > singles ? '\'' : '"';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + quote;
}

std::string unique(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int i = 2; !taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::string literal(const Json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) return string_literal(value.get<std::string>());
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const Json& item : value) parts.push_back(literal(item));
    return "(" + joined(parts) + (parts.size() == 1 ? ",)" : ")");
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) parts.push_back(string_literal(key) + ": " + literal(item));
    return "{" + joined(parts) + "}";
  }
  return value.dump();
}

}  // namespace tieout::torch_source
