#include "containers/json/json_text.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "containers/utf8.h"

namespace tieout {

namespace {

using Json = nlohmann::ordered_json;

Error at_byte(const std::string& message, Where where, std::uint64_t offset) {
  where.offset = offset;
  return malformed(message, std::move(where));
}

// nlohmann parses without recursion but prints and copies with it, so depth is bounded before parsing.
void check_depth(std::string_view text, const Where& where) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '}' || c == ']') --depth;
    if ((c == '{' || c == '[') && ++depth > max_json_depth) {
      throw at_byte("JSON nested deeper than " + std::to_string(max_json_depth) + " levels", where, i);
    }
  }
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ...".
// It ends with what was read last, which may be no text; the message must be, since it is printed as JSON
// too.
std::string plain_reason(const std::string& what) {
  if (!is_utf8(what)) return "there is a byte that no JSON text has there";
  const auto colon = what.find(": ");
  return colon == std::string::npos ? what : what.substr(colon + 2);
}

// nlohmann's own builder looks through an object for each key that it adds. Indices of large language models
// have a hundred thousand, so keys are looked up here.
class Builder {
 public:
  explicit Builder(const Where& where) : where_(where) {}
  Json take() { return std::move(root_); }

  // What nlohmann::json_sax asks for.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t& value) { return add(std::move(value)); }
  bool start_object(std::size_t /*count*/) { return open(Json::object()); }
  bool start_array(std::size_t /*count*/) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  // `read`: bytes until and with the last one. Always throws.
  bool parse_error(std::size_t read, const std::string& /*token*/, const Json::exception& error) {
    const bool is_syntax = dynamic_cast<const Json::parse_error*>(&error) != nullptr;
    throw at_byte("not JSON: " + plain_reason(error.what()), where_, is_syntax && read > 0 ? read - 1 : 0);
  }

 private:
  struct Open {
    Json value;
    std::string key;  // of the member that comes next
    std::unordered_map<std::string, std::size_t> places;
  };

  bool open(Json value) {
    open_.push_back({std::move(value), {}, {}});
    return true;
  }
  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }
  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.is_array()) {
      open_.back().value.push_back(std::move(value));
    } else {
      add_member(open_.back(), std::move(value));
    }
    return true;
  }
  // Of a key that comes twice, the last value counts, in the first one's place.
  static void add_member(Open& object, Json value) {
    auto& members = object.value.get_ref<Json::object_t&>();
    const auto [place, is_new] = object.places.emplace(object.key, members.size());
    if (is_new) {
      members.emplace_back(std::move(object.key), std::move(value));
    } else {
      (members.begin() + static_cast<std::ptrdiff_t>(place->second))->second = std::move(value);
    }
  }

  const Where& where_;
  Json root_;
  std::vector<Open> open_;
};

}  // namespace

nlohmann::ordered_json parse_json(std::string_view text, const Where& where) {
  check_depth(text, where);
  Builder builder(where);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace tieout
