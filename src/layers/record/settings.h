// Typed reading of a node's settings. Settings come from files: every type is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/framework_model.h"

namespace tieout {

// Each throws Error(malformed) naming the setting when it has another type than asked for. The fallback is
// the framework's own default, taken when the setting is absent (files may leave defaults out).
class SettingsReader {
 public:
  SettingsReader(const Json& settings, std::string layer) : settings_(settings), layer_(std::move(layer)) {}

  [[nodiscard]] bool has(const std::string& name) const;  // present and not null
  [[nodiscard]] std::int64_t integer(const std::string& name) const;
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  [[nodiscard]] double number(const std::string& name, double fallback) const;
  [[nodiscard]] bool flag(const std::string& name, bool fallback) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback) const;
  // A list of `rank` integers; a single integer stands for the same number everywhere.
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name, std::size_t rank) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name, std::size_t rank,
                                                   std::int64_t fallback) const;
  // A list of any length; a single integer is a list of one.
  [[nodiscard]] std::vector<std::int64_t> list(const std::string& name) const;
  [[nodiscard]] const Json& raw(const std::string& name) const;  // null when absent

 private:
  [[nodiscard]] Error wrong(const std::string& name, const std::string& expected) const;
  [[nodiscard]] std::int64_t as_integer(const std::string& name, const Json& value) const;

  const Json& settings_;
  std::string layer_;
};

}  // namespace tieout
