#include "formats/torch_source/python_layout.h"

#include <optional>
#include <string_view>
#include <vector>

namespace tieout::torch_source {

namespace {

constexpr std::size_t step = 4;

struct Brackets {
  std::size_t open;
  std::size_t close;
};

// Walks the text outside string literals.
template <typename Visit>
void each_code_char(std::string_view text, const Visit& visit) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '\'') {
      quote = c;
      continue;
    }
    visit(i, c);
  }
}

// The last pair of brackets that is in no other and has something inside.
std::optional<Brackets> last_brackets(std::string_view text) {
  std::optional<Brackets> found;
  std::size_t depth = 0;
  std::size_t open = 0;
  each_code_char(text, [&](std::size_t at, char c) {
    if (c == '(' || c == '[' || c == '{') {
      if (depth++ == 0) open = at;
    } else if ((c == ')' || c == ']' || c == '}') && depth > 0) {
      if (--depth == 0 && at > open + 1) found = Brackets{open, at};
    }
  });
  return found;
}

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items;
  std::size_t depth = 0;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    std::string_view item = text.substr(begin, end - begin);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    if (!item.empty()) items.emplace_back(item);
    begin = end + 1;
  };
  each_code_char(text, [&](std::size_t at, char c) {
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) add(at);
  });
  add(text.size());
  return items;
}

}  // namespace

std::string lay_out(const std::string& statement, std::size_t indent) {
  const std::string margin(indent, ' ');
  const auto brackets = last_brackets(statement);
  if (indent + statement.size() <= line_width || !brackets) return margin + statement + "\n";
  const std::string before = statement.substr(0, brackets->open + 1);
  const std::string inside = statement.substr(brackets->open + 1, brackets->close - brackets->open - 1);
  const std::string after = statement.substr(brackets->close);
  const char previous = brackets->open == 0 ? ' ' : statement[brackets->open - 1];
  const bool is_call = previous != ' ' && previous != '(' && previous != '=';
  const std::vector<std::string> items = split_items(inside);
  std::string out = margin + before + "\n";
  if ((is_call || items.size() == 1) && indent + step + inside.size() <= line_width && inside.back() != ',') {
    out += std::string(indent + step, ' ') + inside + "\n";
  } else {
    for (const std::string& item : items) out += lay_out(item + ",", indent + step);
  }
  return out + margin + after + "\n";
}

}  // namespace tieout::torch_source
