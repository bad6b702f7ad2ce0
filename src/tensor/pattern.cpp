#include "tensor/pattern.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/checked.h"
#include "tieout/error.h"

namespace tieout {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Pattern parse() {
    Pattern pattern;
    for (skip_space(); !done(); skip_space()) pattern.groups.push_back(group());
    check_names(pattern);
    return pattern;
  }

 private:
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
  void skip_space() {
    while (!done() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  [[nodiscard]] Error wrong(const std::string& what) const {
    return usage_error("the pattern \"" + std::string(text_) + "\" " + what + " at character " +
                       std::to_string(at_ + 1));
  }

  std::vector<PatternAxis> group() {
    if (peek() == '1') {
      ++at_;
      return {};
    }
    if (peek() != '(') return {axis()};
    ++at_;
    std::vector<PatternAxis> axes;
    for (skip_space(); peek() != ')'; skip_space()) {
      if (done()) throw wrong("has no closing parenthesis");
      axes.push_back(axis());
    }
    ++at_;
    return axes;
  }

  std::string word() {
    const std::size_t begin = at_;
    while (!done() && (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_')) ++at_;
    if (at_ == begin) throw wrong("has no name of an axis");
    return std::string(text_.substr(begin, at_ - begin));
  }

  PatternAxis axis() {
    PatternAxis axis{word(), {}, {}};
    if (peek() != '{') return axis;
    ++at_;
    for (skip_space(); peek() != '}'; skip_space()) {
      if (done()) throw wrong("has no closing brace");
      axis.labels.push_back(word());
    }
    ++at_;
    if (axis.labels.size() > 2 && axis.labels[1] == "of") {
      axis.pick = axis.labels.front();
      axis.labels.erase(axis.labels.begin(), axis.labels.begin() + 2);
      if (std::ranges::find(axis.labels, axis.pick) == axis.labels.end())
        throw wrong("picks a block that is not there");
    }
    return axis;
  }

  void check_names(const Pattern& pattern) const {
    std::set<std::string> seen;
    for (const auto& group : pattern.groups) {
      for (const auto& axis : group) {
        if (!seen.insert(axis.name).second) throw wrong("names the axis " + axis.name + " twice");
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string to_string(const PatternAxis& axis) {
  if (axis.labels.empty()) return axis.name;
  std::string text = axis.name + "{";
  if (!axis.pick.empty()) text += axis.pick + " of ";
  for (std::size_t i = 0; i < axis.labels.size(); ++i) text += (i > 0 ? " " : "") + axis.labels[i];
  return text + "}";
}

}  // namespace

Pattern parse_pattern(std::string_view text) {
  return Parser(text).parse();
}

std::string to_string(const Pattern& pattern) {
  std::string text;
  for (const auto& group : pattern.groups) {
    if (!text.empty()) text += " ";
    if (group.empty()) {
      text += "1";
    } else if (group.size() == 1) {
      text += to_string(group.front());
    } else {
      text += "(";
      for (std::size_t i = 0; i < group.size(); ++i) text += (i > 0 ? " " : "") + to_string(group[i]);
      text += ")";
    }
  }
  return text;
}

std::int64_t axis_size(const PatternAxis& axis, const AxisSizes& sizes) {
  if (!axis.labels.empty()) return static_cast<std::int64_t>(axis.labels.size());
  const auto found = sizes.find(axis.name);
  if (found == sizes.end()) throw usage_error("the size of the axis " + axis.name + " is not known");
  return found->second;
}

Shape pattern_shape(const Pattern& pattern, const AxisSizes& sizes) {
  Shape shape;
  for (const auto& group : pattern.groups) {
    Shape parts;
    for (const auto& axis : group) parts.push_back(axis_size(axis, sizes));
    shape.push_back(static_cast<std::int64_t>(element_count(parts)));
  }
  return shape;
}

std::vector<PatternAxis> free_axes(const Pattern& pattern) {
  std::vector<PatternAxis> axes;
  for (const auto& group : pattern.groups) {
    std::ranges::copy_if(group, std::back_inserter(axes),
                         [](const PatternAxis& axis) { return axis.pick.empty(); });
  }
  return axes;
}

Pattern replace_axis(const Pattern& pattern, const std::string& name, const std::vector<std::string>& parts) {
  Pattern replaced;
  for (const auto& group : pattern.groups) {
    auto& out = replaced.groups.emplace_back();
    for (const auto& axis : group) {
      if (axis.name != name) {
        out.push_back(axis);
        continue;
      }
      for (const auto& part : parts) out.push_back({part, {}, {}});
    }
  }
  return replaced;
}

}  // namespace tieout
