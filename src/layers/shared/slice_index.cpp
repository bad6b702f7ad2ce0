#include "layers/shared/slice_index.h"

#include <algorithm>

#include "layers/shared/operator_call.h"
#include "tieout/error.h"

namespace tieout {

namespace {

const Json whole = {{"start", nullptr}, {"stop", nullptr}, {"step", nullptr}};

// Far above any size, far below what overflows.
constexpr std::int64_t largest = std::int64_t{1} << 40;

bool is_number(const Json& value) {
  return value.is_number_integer() && value >= -largest && value <= largest;
}

bool is_limit(const Json& limit) {
  return limit.is_null() || is_number(limit);
}

bool is_range(const Json& entry) {
  return entry.is_object() && entry.size() == 3 && entry.contains("start") && entry.contains("stop") &&
         entry.contains("step") && is_limit(entry["start"]) && is_limit(entry["stop"]) &&
         is_limit(entry["step"]) && entry["step"] != 0;
}

std::int64_t step_of(const Json& range) {
  return range.at("step").is_null() ? 1 : range["step"].get<std::int64_t>();
}

// Python's slice.indices.
std::int64_t limit_of(const Json& limit, std::int64_t otherwise, std::int64_t size, std::int64_t step) {
  if (limit.is_null()) return otherwise;
  auto at = limit.get<std::int64_t>();
  if (at < 0) at += size;
  return std::clamp<std::int64_t>(at, step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
}

bool is_class(const Json& value, const char* name) {
  return value.is_object() && value.value("class_name", Json()) == name;
}

Json entry_of(const Lifter& lifter, const Json& given) {
  if (given.is_null()) return "new";
  if (is_number(given)) return {{"at", given}};
  Json range = is_class(given, "__slice__") ? given.value("config", Json()) : given;
  if (is_range(range)) return {{"start", range["start"]}, {"stop", range["stop"]}, {"step", range["step"]}};
  lifter.refuse("it is indexed by something else than numbers and ranges", "index it by numbers and ranges");
}

std::string limit_text(const Json& limit) {
  return limit.is_null() ? "" : limit.dump();
}

// A range of the reversed axis: -1 - i is i's place there.
Json reversed_limit(const Json& limit) {
  return limit.is_null() ? Json() : Json(-1 - limit.get<std::int64_t>());
}

}  // namespace

bool is_whole(const Json& entry) {
  return entry.is_object() && entry.contains("start") && entry["start"].is_null() &&
         entry["stop"].is_null() && step_of(entry) == 1;
}

Cells cells_of(const Json& entry, std::int64_t size) {
  if (entry.contains("at")) {
    const auto at = entry["at"].get<std::int64_t>();
    const std::int64_t place = at < 0 ? at + size : at;
    if (place < 0 || place >= size)
      throw malformed("the index " + std::to_string(at) + " is not in an axis of " + std::to_string(size));
    return {place, 1, 1};
  }
  const std::int64_t step = step_of(entry);
  if (step == 0) throw malformed("a range's step is 0");
  const std::int64_t first = limit_of(entry["start"], step > 0 ? 0 : size - 1, size, step);
  const std::int64_t last = limit_of(entry["stop"], step > 0 ? size : -1, size, step);
  const std::int64_t way = step > 0 ? last - first : first - last;
  const std::int64_t wide = step > 0 ? step : -step;
  return {first, step, way <= 0 ? 0 : (way + wide - 1) / wide};
}

Json full_index(const Lifter& lifter, const Json& key) {
  const Json given = key.is_array() ? key : Json::array({key});
  const auto rank = lifter.input().axes.size();
  const auto named = static_cast<std::size_t>(std::ranges::count_if(
      given, [](const Json& one) { return !one.is_null() && !is_class(one, "__ellipsis__"); }));
  if (named > rank) throw malformed("it is indexed by more entries than it has axes");
  Json index = Json::array();
  bool open = true;
  const auto fill = [&] {
    if (!open) throw malformed("its index has two ellipses");
    for (std::size_t k = named; k < rank; ++k) index.push_back(whole);
    open = false;
  };
  for (const auto& one : given) {
    if (is_class(one, "__ellipsis__"))
      fill();
    else
      index.push_back(entry_of(lifter, one));
  }
  if (open) fill();
  return index;
}

Json keras_index(const Json& index) {
  Json key = Json::array();
  for (const auto& entry : index) {
    if (entry == "new")
      key.push_back(nullptr);
    else if (entry.contains("at"))
      key.push_back(entry["at"]);
    else
      key.push_back({{"class_name", "__slice__"}, {"config", entry}});
  }
  return key;
}

void check_index(const Lifter& lifter, const Json& index) {
  const auto own = [](const Json& entry) { return entry != "new"; };
  const bool fits = index.is_array() && std::ranges::all_of(index, [](const Json& entry) {
                      return entry == "new" || is_range(entry) ||
                             (entry.is_object() && entry.contains("at") && is_number(entry["at"]));
                    });
  if (!fits || static_cast<std::size_t>(std::ranges::count_if(index, own)) != lifter.input().axes.size())
    throw malformed("its index does not fit the input");
  if (index.front() == "new" || index.front().contains("at"))
    lifter.refuse("it takes one sample out of the batch, or puts an axis in front of it",
                  "keep the batch first");
}

std::string python_index(const Json& index) {
  std::vector<std::int64_t> reversed;
  std::string text;
  std::size_t shown = index.size();
  while (shown > 1 && is_whole(index[shown - 1])) --shown;
  std::int64_t axis = 0;
  for (std::size_t k = 0; k < shown; ++k) {
    Json entry = index[k];
    if (k > 0) text += ", ";
    if (entry == "new") {
      text += "None";
      continue;
    }
    ++axis;
    if (entry.contains("at")) {
      text += entry["at"].dump();
      continue;
    }
    std::int64_t step = step_of(entry);
    if (step < 0) {
      reversed.push_back(axis - 1);
      entry["start"] = reversed_limit(entry["start"]);
      entry["stop"] = reversed_limit(entry["stop"]);
      step = -step;
    }
    text += limit_text(entry["start"]) + ":" + limit_text(entry["stop"]);
    if (step != 1) text += ":" + std::to_string(step);
  }
  const std::string flip = reversed.empty() ? "" : ".flip(" + python_tuple(reversed) + ")";
  return "{0}" + flip + "[" + text + "]";
}

}  // namespace tieout
