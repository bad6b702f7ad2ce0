#include "formats/safetensors/writer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

#include "formats/safetensors/header.h"

namespace tieout::safetensors {

namespace {

constexpr std::size_t alignment = 8;  // of the first element

std::string header_text(const std::vector<const NamedTensor*>& tensors, const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    auto& texts = header["__metadata__"] = nlohmann::ordered_json::object();
    for (const auto& [key, value] : metadata) texts[key] = value;
  }
  auto& entries = header.get_ref<nlohmann::ordered_json::object_t&>();
  std::uint64_t begin = 0;
  for (const NamedTensor* named : tensors) {
    const LazyTensor& tensor = named->tensor;
    const std::string_view dtype = name_of(tensor.dtype);
    if (dtype.empty()) {
      throw unsupported("safetensors cannot hold elements of type " + std::string(to_string(tensor.dtype)),
                        {.file = {}, .entry = {}, .offset = {}, .tensor = named->name, .layer = {}},
                        "write a .pt file instead");
    }
    const std::uint64_t end = begin + byte_count(tensor.shape, tensor.dtype);
    // Not by header[name], which looks through all names each time.
    entries.emplace_back(
        named->name,
        nlohmann::ordered_json{{"dtype", dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}});
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  return text;
}

}  // namespace

void write_tensors(const std::vector<NamedTensor>& tensors, const Metadata& metadata, OutputFile& out,
                   const PayloadOptions& options) {
  std::vector<const NamedTensor*> ordered;
  for (const NamedTensor& named : tensors) ordered.push_back(&named);
  std::ranges::sort(ordered, {}, [](const NamedTensor* named) {
    return std::pair<int, const std::string&>(write_rank(named->tensor.dtype), named->name);
  });
  const std::string header = header_text(ordered, metadata);
  std::array<std::byte, sizeof(std::uint64_t)> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<std::byte>((header.size() >> (8 * i)) & 0xFF);
  out.write(length);
  out.write(header);
  Payload elements;
  for (const NamedTensor* named : ordered) {
    elements.tensors.push_back({elements.size, named->tensor});
    elements.size += byte_count(named->tensor.shape, named->tensor.dtype);
  }
  write_whole(out, std::move(elements), options);
}

}  // namespace tieout::safetensors
