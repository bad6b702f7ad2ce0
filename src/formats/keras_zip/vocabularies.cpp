#include "formats/keras_zip/vocabularies.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "formats/keras_config/names.h"
#include "tieout/error.h"

namespace tieout::keras {

namespace {

// Numbers have at most 20 letters: more than ten million of them.
constexpr std::uint64_t max_size = std::uint64_t{1} << 28U;
// As deep as read_architecture goes.
constexpr int most_levels = 32;

Json numbers_in(const ZipReader& zip, const ZipEntry& entry) {
  const std::vector<std::byte> bytes = zip.read(entry, max_size);
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto blank = rest.find_last_not_of("\r\n");
  rest = rest.substr(0, blank == std::string_view::npos ? 0 : blank + 1);
  Json numbers = Json::array();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc{} || stop != line.data() + line.size()) {
      throw malformed(
          "a line of the vocabulary is no whole number",
          {.file = zip.file()->path(), .entry = entry.name, .offset = {}, .tensor = {}, .layer = {}});
    }
    numbers.push_back(number);
  }
  return numbers;
}

// `folder`: where the model's assets lie, "assets/layers/functional/".
// NOLINTNEXTLINE(misc-no-recursion): at most most_levels deep.
void state_level(const ZipReader& zip, Json& model, const std::string& folder, int level) {
  if (level > most_levels || !model.is_object() || !model.contains("config")) return;
  Json& config = model["config"];
  if (!config.is_object() || !config.contains("layers") || !config["layers"].is_array()) return;
  Counter counter;
  for (Json& layer : config["layers"]) {
    if (!layer.is_object() || !layer.contains("class_name") || !layer["class_name"].is_string()) continue;
    const auto class_name = layer["class_name"].get<std::string>();
    const std::string inside = folder + "layers/" + counter.next(snake_case(class_name)) + "/";
    state_level(zip, layer, inside, level + 1);
    if (class_name != "IntegerLookup" || !layer.contains("config") || !layer["config"].is_object()) continue;
    Json& vocabulary = layer["config"]["vocabulary"];
    const ZipEntry* asset = zip.find(inside + "vocabulary.txt");
    if (vocabulary.is_null() && asset != nullptr) vocabulary = numbers_in(zip, *asset);
  }
}

}  // namespace

void state_vocabularies(const ZipReader& zip, Json& config) {
  state_level(zip, config, "assets/", 0);
}

}  // namespace tieout::keras
