#include "formats/safetensors/module_order.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace tieout::safetensors {

namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// Takes the leading digits off `text`, without zeros in front.
std::string_view take_number(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// -1, 0 or 1; runs of digits compare as numbers.
int compare(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view left = take_number(a);
      const std::string_view right = take_number(b);
      if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
      if (const int order = left.compare(right); order != 0) return order;
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front() ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

std::string_view module_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

bool is_bias(std::string_view name) {
  const auto dot = name.rfind('.');
  return name.substr(dot == std::string_view::npos ? 0 : dot + 1).starts_with("bias");
}

bool sorted_by_library(const std::vector<NamedTensor>& tensors) {
  return std::ranges::adjacent_find(tensors, [](const NamedTensor& a, const NamedTensor& b) {
           return a.tensor.dtype == b.tensor.dtype && b.name < a.name;
         }) == tensors.end();
}

}  // namespace

std::vector<NamedTensor> in_module_order(const std::vector<NamedTensor>& tensors) {
  std::vector<NamedTensor> ordered = tensors;
  if (!sorted_by_library(tensors)) return ordered;
  std::ranges::stable_sort(ordered, [](const NamedTensor& a, const NamedTensor& b) {
    const int modules = compare(module_of(a.name), module_of(b.name));
    return modules != 0 ? modules < 0 : !is_bias(a.name) && is_bias(b.name);
  });
  return ordered;
}

}  // namespace tieout::safetensors
