#include "layers/record/settings.h"

#include "tieout/error.h"

namespace tieout {

namespace {
const Json null_setting;
}

Error SettingsReader::wrong(const std::string& name, const std::string& expected) const {
  Where where;
  where.layer = layer_;
  const Json& found = raw(name);
  return malformed("the setting " + name + " should be " + expected + ", found " +
                       (found.is_null() ? "nothing" : found.dump().substr(0, 60)),
                   where);
}

const Json& SettingsReader::raw(const std::string& name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? null_setting : *found;
}

bool SettingsReader::has(const std::string& name) const {
  return !raw(name).is_null();
}

std::int64_t SettingsReader::as_integer(const std::string& name, const Json& value) const {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  throw wrong(name, "an integer");
}

std::int64_t SettingsReader::integer(const std::string& name) const {
  return as_integer(name, raw(name));
}

std::int64_t SettingsReader::integer(const std::string& name, std::int64_t fallback) const {
  return has(name) ? integer(name) : fallback;
}

double SettingsReader::number(const std::string& name, double fallback) const {
  if (!has(name)) return fallback;
  if (!raw(name).is_number()) throw wrong(name, "a number");
  return raw(name).get<double>();
}

bool SettingsReader::flag(const std::string& name, bool fallback) const {
  if (!has(name)) return fallback;
  if (!raw(name).is_boolean()) throw wrong(name, "true or false");
  return raw(name).get<bool>();
}

std::string SettingsReader::text(const std::string& name, const std::string& fallback) const {
  if (!has(name)) return fallback;
  if (!raw(name).is_string()) throw wrong(name, "a text");
  return raw(name).get<std::string>();
}

std::vector<std::int64_t> SettingsReader::list(const std::string& name) const {
  const Json& value = raw(name);
  if (!value.is_array()) return {as_integer(name, value)};
  std::vector<std::int64_t> numbers;
  for (const auto& item : value) numbers.push_back(as_integer(name, item));
  return numbers;
}

std::vector<std::int64_t> SettingsReader::integers(const std::string& name, std::size_t rank) const {
  std::vector<std::int64_t> numbers = list(name);
  if (!raw(name).is_array()) numbers.assign(rank, numbers.front());
  if (numbers.size() != rank) throw wrong(name, std::to_string(rank) + " integers");
  return numbers;
}

std::vector<std::int64_t> SettingsReader::integers(const std::string& name, std::size_t rank,
                                                   std::int64_t fallback) const {
  return has(name) ? integers(name, rank) : std::vector<std::int64_t>(rank, fallback);
}

}  // namespace tieout
