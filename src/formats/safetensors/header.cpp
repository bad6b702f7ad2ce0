#include "formats/safetensors/header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

#include "base/checked.h"
#include "containers/json/json_text.h"
#include "containers/utf8.h"

namespace tieout::safetensors {

namespace {

using Json = nlohmann::ordered_json;

struct Entry {
  DType dtype;
  std::string_view name;
};

// In the order in which the Rust library writes them (src/tensor.rs, enum Dtype, reversed).
constexpr std::array<Entry, 19> dtypes{{{DType::u64, "U64"},
                                        {DType::i64, "I64"},
                                        {DType::f64, "F64"},
                                        {DType::c64, "C64"},
                                        {DType::f32, "F32"},
                                        {DType::u32, "U32"},
                                        {DType::i32, "I32"},
                                        {DType::bf16, "BF16"},
                                        {DType::f16, "F16"},
                                        {DType::u16, "U16"},
                                        {DType::i16, "I16"},
                                        {DType::f8_e5m2fnuz, "F8_E5M2FNUZ"},
                                        {DType::f8_e4m3fnuz, "F8_E4M3FNUZ"},
                                        {DType::f8_e8m0fnu, "F8_E8M0"},
                                        {DType::f8_e4m3fn, "F8_E4M3"},
                                        {DType::f8_e5m2, "F8_E5M2"},
                                        {DType::i8, "I8"},
                                        {DType::u8, "U8"},
                                        {DType::boolean, "BOOL"}}};
constexpr std::array<std::string_view, 3> refused{"F6_E2M3", "F6_E3M2", "F4"};

struct Place {
  std::uint64_t begin;
  std::uint64_t end;
  std::string name;
};

class HeaderReader {
 public:
  explicit HeaderReader(const FileRef& file) : file_(file) {}

  Header read() {
    ByteReader reader(file_->bytes(), where());
    const std::uint64_t length = reader.u64("header length");
    if (length > largest_header) {
      throw reader.error("the header claims " + std::to_string(length) +
                         " bytes; more than 100000000 are refused");
    }
    const std::string_view text = reader.take_text(length, "header");
    elements_ = file_->bytes().subspan(reader.position());
    if (text.empty() || text.front() != '{') throw error("the header does not begin with '{'");
    if (!is_utf8(text)) throw error("the header is not UTF-8");
    const Json json = parse(text);
    if (!json.is_object()) throw error("the header is not a JSON object");
    Header header;
    for (const auto& [name, value] : json.items()) {
      if (name == "__metadata__") {
        header.metadata = read_metadata(value);
      } else {
        header.tensors.push_back({name, read_tensor(name, value)});
      }
    }
    check_tiling();
    return header;
  }

 private:
  [[nodiscard]] Where where(const std::string& tensor = {}) const {
    return {.file = file_->path(), .entry = {}, .offset = {}, .tensor = tensor, .layer = {}};
  }
  [[nodiscard]] Error error(const std::string& message, const std::string& tensor = {}) const {
    Where place = where(tensor);
    place.offset = sizeof(std::uint64_t);
    return malformed(message, place);
  }

  Json parse(std::string_view text) {
    try {
      return parse_json(text, where());
    } catch (const Error& failure) {
      Where place = failure.where();
      if (place.offset) *place.offset += sizeof(std::uint64_t);
      throw malformed(failure.what(), place);
    }
  }

  std::vector<std::pair<std::string, std::string>> read_metadata(const Json& json) const {
    if (!json.is_object()) throw error("__metadata__ is not an object");
    std::vector<std::pair<std::string, std::string>> metadata;
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) throw error("__metadata__ holds a value that is not a string");
      metadata.emplace_back(key, value.get<std::string>());
    }
    return metadata;
  }

  [[nodiscard]] std::uint64_t count(const Json& json, const std::string& tensor) const {
    if (!json.is_number_unsigned())
      throw error("a size or an offset is not an unsigned 64-bit integer", tensor);
    return json.get<std::uint64_t>();
  }

  [[nodiscard]] DType read_dtype(const Json& json, const std::string& tensor) const {
    if (!json.is_string()) throw error("'dtype' is not a string", tensor);
    const auto name = json.get<std::string>();
    const auto found = std::ranges::find(dtypes, name, &Entry::name);
    if (found != dtypes.end()) return found->dtype;
    if (std::ranges::find(refused, name) != refused.end()) {
      throw unsupported("elements of type " + name + " are not supported", where(tensor));
    }
    throw error("the element type '" + name + "' is unknown", tensor);
  }

  LazyTensor read_tensor(const std::string& name, const Json& json) {
    const bool complete = json.is_object() && json.size() == 3 && json.contains("dtype") &&
                          json.contains("shape") && json.contains("data_offsets");
    if (!complete) throw error("a tensor needs dtype, shape and data_offsets, and nothing else", name);
    const DType dtype = read_dtype(json["dtype"], name);
    if (!json["shape"].is_array()) throw error("'shape' is not an array", name);
    Shape shape;
    for (const Json& size : json["shape"]) {
      const std::uint64_t value = count(size, name);
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        throw error("a size of the shape leaves 63 bits", name);
      }
      shape.push_back(static_cast<std::int64_t>(value));
    }
    const Json& offsets = json["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) throw error("'data_offsets' is not [begin, end]", name);
    const Place place{count(offsets[0], name), count(offsets[1], name), name};
    if (place.begin > place.end || place.end > elements_.size()) {
      throw error("data_offsets [" + std::to_string(place.begin) + ", " + std::to_string(place.end) +
                      "] leave the file's " + std::to_string(elements_.size()) + " bytes of elements",
                  name);
    }
    try {
      if (byte_count(shape, dtype) != place.end - place.begin) {
        throw error("a shape of " + to_string(shape) + " does not have " +
                        std::to_string(place.end - place.begin) + " bytes",
                    name);
      }
    } catch (Error& failure) {
      throw failure.at(error("", name).where());
    }
    places_.push_back(place);
    return view_tensor(dtype, std::move(shape), elements_.subspan(place.begin, place.end - place.begin),
                       file_);
  }

  void check_tiling() {
    std::ranges::sort(places_, {}, [](const Place& place) { return std::pair(place.begin, place.end); });
    std::uint64_t end = 0;
    for (const Place& place : places_) {
      if (place.begin != end) {
        throw error(
            place.begin > end ? "bytes before the tensor belong to none" : "the tensor overlaps another",
            place.name);
      }
      end = place.end;
    }
    if (end != elements_.size()) throw error("bytes are left after the last tensor");
  }

  FileRef file_;
  Bytes elements_;
  std::vector<Place> places_;
};

}  // namespace

Header read_header(const FileRef& file) {
  return HeaderReader(file).read();
}

std::string_view name_of(DType dtype) {
  const auto found = std::ranges::find(dtypes, dtype, &Entry::dtype);
  return found == dtypes.end() ? std::string_view{} : found->name;
}

int write_rank(DType dtype) {
  return static_cast<int>(std::ranges::find(dtypes, dtype, &Entry::dtype) - dtypes.begin());
}

}  // namespace tieout::safetensors
