#include "containers/tensor_bundle/sources.h"

#include <algorithm>
#include <cstring>

#include "containers/tensor_bundle/crc32c.h"

namespace tieout::tensor_bundle {

CheckedBytes::CheckedBytes(FileRef file, std::uint64_t offset, std::uint64_t size, std::uint32_t masked_crc,
                           Where where)
    : file_(std::move(file)),
      bytes_(file_->bytes().subspan(offset, size)),
      masked_crc_(masked_crc),
      crc_({crc32c_of, crc32c_joined}, bytes_),
      where_(std::move(where)) {}

Bytes CheckedBytes::view() const {
  if (masked(crc_.value()) != masked_crc_)
    throw malformed("the tensor's bytes do not have their checksum; the file is damaged", where_);
  return bytes_;
}

void CheckedBytes::read(std::span<std::byte> out) const {
  const Bytes bytes = view();
  if (out.size() != bytes.size()) throw internal_error("a tensor was read into a buffer of another size");
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size());
}

Joined::Joined(std::vector<Part> parts) : parts_(std::move(parts)) {
  for (const Part& part : parts_) row_ += part.row;
}

void Joined::read(std::span<std::byte> out) const {
  read_part({.begin = 0, .run = out.size()}, out);
}

std::vector<TensorPart> Joined::parts(std::uint64_t size, std::uint64_t most) const {
  std::vector<TensorPart> all;
  for (std::uint64_t begin = 0; begin < size; begin += most)
    all.push_back({.begin = begin, .run = std::min(most, size - begin)});
  return all;
}

void Joined::read_part(const TensorPart& part, std::span<std::byte> out) const {
  std::uint64_t at = part.begin;
  while (!out.empty()) {
    const std::uint64_t row = at / row_;
    std::uint64_t inside = at % row_;
    auto from = parts_.begin();
    for (; inside >= from->row; ++from) inside -= from->row;
    const std::uint64_t count = std::min<std::uint64_t>(from->row - inside, out.size());
    const Bytes bytes = from->source->view().subspan(row * from->row + inside, count);
    std::memcpy(out.data(), bytes.data(), count);
    out = out.subspan(count);
    at += count;
  }
}

}  // namespace tieout::tensor_bundle
