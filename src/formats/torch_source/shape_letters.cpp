#include "formats/torch_source/shape_letters.h"

#include <string_view>

namespace tieout::torch_source {

namespace {

// N is the batch; the others stand for sizes that only the input decides.
constexpr std::string_view free_letters = "CHDEGIJKXYZ";

struct Parts {
  std::string frame;  // the text with "#" for each number
  std::vector<std::string> numbers;
};

Parts split(const std::string& text) {
  Parts parts;
  bool in_number = false;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (is_digit && !in_number) {
      parts.frame.push_back('#');
      parts.numbers.emplace_back();
    }
    if (is_digit) {
      parts.numbers.back().push_back(c);
    } else {
      parts.frame.push_back(c);
    }
    in_number = is_digit;
  }
  return parts;
}

}  // namespace

std::string ShapeLetters::common(const std::vector<std::string>& comments) {
  const Parts first = split(comments.front());
  std::vector<std::vector<std::string>> columns(first.numbers.size());
  for (const std::string& comment : comments) {
    const Parts parts = split(comment);
    if (parts.frame != first.frame || comment.find('#') != std::string::npos) return "";
    for (std::size_t k = 0; k < columns.size(); ++k) columns[k].push_back(parts.numbers[k]);
  }
  std::string text;
  std::size_t next = 0;
  for (const char c : first.frame) {
    if (c != '#') {
      text.push_back(c);
      continue;
    }
    const std::vector<std::string>& column = columns[next++];
    if (column == std::vector<std::string>(column.size(), column.front())) {
      text += column.front();
      continue;
    }
    auto found = letters_.find(column);
    if (found == letters_.end()) {
      if (letters_.size() == free_letters.size()) return "";
      found = letters_.emplace(column, free_letters[letters_.size()]).first;
    }
    text.push_back(found->second);
  }
  return text;
}

}  // namespace tieout::torch_source
