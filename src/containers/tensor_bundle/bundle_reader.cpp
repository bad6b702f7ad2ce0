#include "containers/tensor_bundle/bundle_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/checked.h"
#include "containers/protobuf/message_reader.h"
#include "containers/tensor_bundle/crc32c.h"
#include "containers/tensor_bundle/sources.h"
#include "containers/utf8.h"

namespace tieout::tensor_bundle {

namespace {

// Slices stand in the table under keys that begin so; a tensor has a name.
bool is_slice(const std::string& key) {
  return key.starts_with('\0');
}

std::string named(const std::string& key) {
  return is_slice(key) ? "a slice" : key;
}

// The axis along which the tensor was cut; Error(unsupported) when there are several, or a slice is empty.
std::size_t cut_axis(const BundleEntry& entry, const Where& where) {
  std::optional<std::size_t> axis;
  for (const Slice& slice : entry.slices) {
    if (slice.extents.size() != entry.shape.size())
      throw malformed("a slice has another number of axes than its tensor", where);
    for (std::size_t k = 0; k < slice.extents.size(); ++k) {
      const auto& [start, length] = slice.extents[k];
      if (start == 0 && (length == unknown || length == entry.shape[k])) continue;
      if (axis && *axis != k)
        throw unsupported("the tensor was cut along several axes", where,
                          "restore it with TensorFlow and save it again without partitioning");
      axis = k;
    }
  }
  return axis.value_or(0);
}

}  // namespace

std::string data_path(const std::string& index_path, std::uint64_t shard, std::uint64_t shards) {
  return fmt::format("{}.data-{:05}-of-{:05}", index_path.substr(0, index_path.size() - index_suffix.size()),
                     shard, shards);
}

BundleReader::BundleReader(const FileRef& index, const std::string& path,
                           const std::map<std::string, std::string>& elsewhere)
    : file_(index->path()) {
  const std::vector<TableEntry> table = read_table(index->bytes(), where({}));
  if (table.empty() || !table.front().key.empty())
    throw malformed("the table has no header, so it is no checkpoint's", where({}));
  shards_ = read_header(table.front(), where({}));
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (!is_slice(table[i].key) && !is_utf8(table[i].key))
      throw malformed("a tensor's name is no text", where({}));
    const BundleEntry entry = read_entry(table[i], where(named(table[i].key)));
    if (entry.shard >= shards_)
      throw malformed("the tensor lies in a data file that there is not", where(named(table[i].key)));
    entries_.emplace(table[i].key, entry);
  }
  open_files(path, elsewhere);
  check_places();
  for (const auto& [key, entry] : entries_) {
    if (!is_slice(key)) add(key, entry);
  }
}

Where BundleReader::where(const std::string& name) const {
  return {.file = file_, .entry = {}, .offset = {}, .tensor = name, .layer = {}};
}

void BundleReader::open_files(const std::string& path, const std::map<std::string, std::string>& elsewhere) {
  for (const auto& [key, entry] : entries_) {
    FileRef& file = files_[entry.shard];
    if (file != nullptr) continue;
    if (!path.ends_with(index_suffix))
      throw unsupported("where the data files lie follows from the index's name, which must end in .index",
                        where({}), "give the file the name that TensorFlow gave it");
    const std::string beside = data_path(path, entry.shard, shards_);
    const auto moved = elsewhere.find(beside.substr(beside.rfind('/') + 1));
    const std::string& real = moved == elsewhere.end() ? beside : moved->second;
    try {
      file = std::make_shared<const MappedFile>(real);
    } catch (const Error& error) {
      throw io_error(real, "the checkpoint's data file cannot be read: " + std::string(error.what()),
                     "it must lie beside " + file_);
    }
  }
}

// Every tensor lies in its file, and none on another: what a file claims is no more than what it has.
void BundleReader::check_places() const {
  std::vector<std::pair<const BundleEntry*, const std::string*>> placed;
  for (const auto& [key, entry] : entries_) {
    const std::uint64_t size = files_.at(entry.shard)->bytes().size();
    if (entry.offset > size || entry.size > size - entry.offset) {
      throw malformed(
          fmt::format("the tensor has {} bytes at {}, its data file has {}", entry.size, entry.offset, size),
          where(named(key)));
    }
    if (entry.size > 0) placed.emplace_back(&entry, &key);
  }
  std::ranges::sort(placed, {},
                    [](const auto& place) { return std::pair(place.first->shard, place.first->offset); });
  for (std::size_t i = 1; i < placed.size(); ++i) {
    const BundleEntry& before = *placed[i - 1].first;
    const BundleEntry& entry = *placed[i].first;
    if (before.shard == entry.shard && before.offset + before.size > entry.offset)
      throw malformed("the tensor lies on another one", where(named(*placed[i].second)));
  }
}

void BundleReader::add(const std::string& name, const BundleEntry& entry) {
  const std::optional<DType> dtype = dtype_of_type(entry.type);
  if (!dtype) {
    others_.push_back(name);
    return;
  }
  try {
    tensors_.push_back(
        {name, entry.slices.empty() ? whole(name, entry, *dtype) : joined(name, entry, *dtype)});
  } catch (Error& error) {  // a shape that no tensor can have
    throw error.at(where(name));
  }
}

LazyTensor BundleReader::whole(const std::string& name, const BundleEntry& entry, DType dtype) const {
  const FileRef& file = files_.at(entry.shard);
  const std::uint64_t size = byte_count(entry.shape, dtype);
  if (size != entry.size) {
    throw malformed(fmt::format("a {} tensor of shape {} has {} bytes, the index says {}", to_string(dtype),
                                to_string(entry.shape), size, entry.size),
                    where(name));
  }
  Where place = where(name);
  place.file = file->path();
  place.offset = entry.offset;
  return {dtype,
          entry.shape,
          std::make_shared<CheckedBytes>(file, entry.offset, entry.size, entry.crc, std::move(place)),
          {}};
}

LazyTensor BundleReader::joined(const std::string& name, const BundleEntry& entry, DType dtype) const {
  const std::size_t axis = cut_axis(entry, where(name));
  if (entry.shape.empty()) {
    const auto found = entries_.find(entry.slices.front().key(name));
    if (found == entries_.end() || found->second.type != entry.type || !found->second.shape.empty())
      throw malformed("the slices do not make up the tensor", where(name));
    return whole(name, found->second, dtype);
  }
  std::vector<Slice> slices = entry.slices;
  std::ranges::sort(slices, {}, [axis](const Slice& slice) { return slice.extents[axis].start; });
  const Shape before(entry.shape.begin(), entry.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const std::uint64_t rows = element_count(before);
  std::vector<Joined::Part> parts;
  std::int64_t reached = 0;
  for (const Slice& slice : slices) {
    const auto found = entries_.find(slice.key(name));
    if (found == entries_.end()) throw malformed("a slice of the tensor is missing", where(name));
    const auto [start, length] = slice.extents[axis];
    Shape shape = entry.shape;
    shape[axis] = length == unknown ? shape[axis] - start : length;
    if (start != reached || shape[axis] <= 0 || shape[axis] > entry.shape[axis] - start ||
        found->second.shape != shape || found->second.type != entry.type || !found->second.slices.empty())
      throw malformed("the slices do not make up the tensor", where(name));
    reached += shape[axis];
    const LazyTensor part = whole(name, found->second, dtype);
    if (rows > 0) parts.push_back({found->second.size / rows, part.source});
  }
  if (reached != entry.shape[axis]) throw malformed("the slices do not make up the tensor", where(name));
  return {dtype, entry.shape, std::make_shared<Joined>(std::move(parts)), {}};
}

std::optional<std::vector<std::string_view>> BundleReader::strings(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.type != string_type) return std::nullopt;
  const BundleEntry& entry = found->second;
  Where here = where(name);
  const FileRef& file = files_.at(entry.shard);
  here.file = file->path();
  ByteReader reader(file->bytes().subspan(entry.offset, entry.size), here, entry.offset);
  const std::uint64_t count = element_count(entry.shape);
  if (count > entry.size) throw reader.error("a tensor of strings has more elements than bytes");
  std::vector<std::uint64_t> lengths;
  std::uint32_t crc = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = protobuf::take_varint(reader, "a string's length");
    // Lengths are checked as the numbers of 32 bits that they are, or of 64 where it takes them.
    crc = crc32c_of(std::as_bytes(std::span(&length, 1)).first(length >> 32 == 0 ? 4 : 8), crc);
    lengths.push_back(length);
  }
  const Bytes stored = reader.take(4, "the lengths' checksum");
  if (ByteReader(stored, here).u32() != masked(crc))
    throw reader.error("the lengths of strings do not have their checksum");
  crc = crc32c_of(stored, crc);
  std::vector<std::string_view> strings;
  for (const std::uint64_t length : lengths) {
    strings.push_back(reader.take_text(length, "a string"));
    crc = crc32c_of(std::as_bytes(std::span(strings.back())), crc);
  }
  if (!reader.at_end() || masked(crc) != entry.crc)
    throw malformed("the tensor's bytes do not have their checksum; the file is damaged", here);
  return strings;
}

}  // namespace tieout::tensor_bundle
