#include "formats/keras_config/names.h"

#include <cctype>

namespace tieout::keras {

namespace {

bool upper(char c) {
  return std::isupper(static_cast<unsigned char>(c)) != 0;
}
bool lower(char c) {
  return std::islower(static_cast<unsigned char>(c)) != 0;
}

// re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name): matches do not overlap, and the second group takes all the
// lower case letters that follow.
std::string split_words(const std::string& name) {
  std::string out;
  std::size_t i = 0;
  while (i < name.size()) {
    if (i + 2 < name.size() && upper(name[i + 1]) && lower(name[i + 2])) {
      out += name[i];
      out += '_';
      out += name[++i];
      while (++i < name.size() && lower(name[i])) out += name[i];
    } else {
      out += name[i++];
    }
  }
  return out;
}

}  // namespace

std::string snake_case(std::string_view class_name) {
  // Files have the name under which Keras exports the class, which is another one here.
  if (class_name == "GroupQueryAttention") class_name = "GroupedQueryAttention";
  std::string word;
  for (const char c : class_name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') word += c;
  }
  const std::string split = split_words(word);
  // re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
  std::string out;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (i > 0 && upper(split[i]) && lower(split[i - 1])) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(split[i])));
  }
  return out;
}

std::string Counter::next(const std::string& base) {
  const int count = used_[base]++;
  return count == 0 ? base : base + "_" + std::to_string(count);
}

bool is_operation(std::string_view module) {
  return module.starts_with("keras.src.ops") || module.starts_with("keras.ops");
}

}  // namespace tieout::keras
