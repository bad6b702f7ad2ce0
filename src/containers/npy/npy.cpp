#include "containers/npy/npy.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "containers/npy/header.h"
#include "containers/zip/zip_reader.h"
#include "containers/zip/zip_writer.h"
#include "tensor/rearrange.h"

namespace tieout {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t alignment = 64;  // of the elements, since NumPy 1.14
constexpr std::uint64_t small_archive = std::uint64_t{64} << 20;
constexpr std::uint64_t largest_ratio = 200;  // weights hardly deflate; only zeros do so well

// Column-major elements in row-major order: the axes of a row-major array of the reversed shape, reversed.
std::vector<std::byte> row_major(const npy::Header& header, Bytes elements) {
  StridedLoop loop;
  loop.sizes = header.shape;
  std::int64_t stride = 1;
  for (const std::int64_t size : header.shape) {
    loop.source_strides.push_back(stride);
    stride *= size;
  }
  loop.target_strides.assign(header.shape.size(), 1);
  for (std::size_t k = header.shape.size(); k-- > 1;) {
    loop.target_strides[k - 1] = loop.target_strides[k] * header.shape[k];
  }
  std::vector<std::byte> out(elements.size());
  copy_elements({loop}, size_of(header.dtype), elements, out);
  return out;
}

}  // namespace

bool is_npy(Bytes file) {
  return file.size() >= magic.size() && std::memcmp(file.data(), magic.data(), magic.size()) == 0;
}

LazyTensor read_npy(Bytes bytes, const Where& where, std::shared_ptr<const void> owner) {
  ByteReader reader(bytes, where);
  if (reader.take_text(magic.size(), "magic number") != magic) throw reader.error("this is no .npy file");
  const int major = reader.u8("version");
  reader.skip(1);
  if (major < 1 || major > 3)
    throw unsupported("the .npy version " + std::to_string(major) + " is unknown", where);
  const std::uint64_t length = major == 1 ? reader.u16("header length") : reader.u32("header length");
  const auto header = npy::parse_header(reader.take_text(length, "header"), where);
  const std::uint64_t size = byte_count(header.shape, header.dtype);
  if (size != reader.remaining()) {
    throw reader.error("an array of shape " + to_string(header.shape) + " needs " + std::to_string(size) +
                       " bytes, the file has " + std::to_string(reader.remaining()));
  }
  const Bytes elements = reader.take(size, "elements");
  if (header.fortran_order && header.shape.size() > 1) {
    return make_tensor(header.dtype, header.shape, row_major(header, elements));
  }
  return view_tensor(header.dtype, header.shape, elements, std::move(owner));
}

LazyTensor read_npy(const FileRef& file) {
  Where where;
  where.file = file->path();
  return read_npy(file->bytes(), where, file);
}

std::vector<NamedTensor> read_npz(const FileRef& file) {
  constexpr std::string_view suffix = ".npy";
  const ZipReader archive(file);
  std::vector<NamedTensor> tensors;
  std::uint64_t inflated = 0;
  std::uint64_t packed = 0;
  for (const ZipEntry& entry : archive.entries()) {
    Where where;
    where.file = file->path();
    where.entry = entry.name;
    if (!entry.name.ends_with(suffix)) throw malformed("an .npz holds records named NAME.npy only", where);
    std::string name = entry.name.substr(0, entry.name.size() - suffix.size());
    if (entry.method == ZipMethod::stored) {
      archive.verify(entry);
      tensors.push_back({std::move(name), read_npy(archive.stored(entry), where, file)});
      continue;
    }
    inflated += entry.size;
    packed += entry.compressed_size;
    if (inflated > small_archive && inflated / largest_ratio > packed)
      throw malformed("the archive would inflate to more than 200 times its size", where);
    const auto payload = std::make_shared<const std::vector<std::byte>>(archive.read(entry, entry.size));
    tensors.push_back({std::move(name), read_npy(*payload, where, payload)});
  }
  return tensors;
}

std::string npy_header(DType dtype, const Shape& shape) {
  std::string text = "{'descr': '" + std::string(npy::descr(dtype)) + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : shape) text += std::to_string(size) + ", ";
  // A tuple of one has a comma, longer ones need none at the end.
  if (shape.size() == 1) text.pop_back();
  if (shape.size() > 1) text.resize(text.size() - 2);
  text += "), }";
  const std::size_t before = magic.size() + 2 + sizeof(std::uint16_t);
  text.append(alignment - (before + text.size() + 1) % alignment, ' ');
  text += '\n';
  std::string header(magic);
  header += {'\x01', '\x00'};
  header += static_cast<char>(text.size() & 0xFFU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

void write_npy(OutputFile& out, const LazyTensor& tensor) {
  out.write(npy_header(tensor.dtype, tensor.shape));
  out.write(tensor.load());
}

namespace {

std::string header_of(const std::string& name, const LazyTensor& tensor) {
  try {
    return npy_header(tensor.dtype, tensor.shape);
  } catch (Error& error) {
    throw error.at({.file = {}, .entry = {}, .offset = {}, .tensor = name, .layer = {}});
  }
}

}  // namespace

void write_npz(OutputFile& out, const std::vector<NamedTensor>& tensors, const PayloadOptions& options) {
  ZipWriter archive(out);
  for (const auto& [name, tensor] : tensors) {
    const std::string header = header_of(name, tensor);
    Payload payload{header.size() + byte_count(tensor.shape, tensor.dtype), {}, {{header.size(), tensor}}};
    const Bytes bytes = std::as_bytes(std::span(header));
    payload.pieces.push_back({0, {bytes.begin(), bytes.end()}});
    archive.add(name + ".npy", std::move(payload));
  }
  archive.finish(options);
}

}  // namespace tieout
