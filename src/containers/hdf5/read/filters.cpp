#include "containers/hdf5/read/filters.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <libdeflate.h>

#include "base/checked.h"
#include "containers/hdf5/read/checksum.h"
#include "containers/hdf5/read/layout.h"
#include "containers/utf8.h"

namespace tieout::hdf5 {

namespace {

constexpr std::size_t max_filters = 32;      // H5Z_MAX_NFILTERS: the mask has 32 bits
constexpr std::uint16_t first_plugin = 256;  // below, filters have no names in version 2
constexpr std::uint64_t checksum_size = 4;   // fletcher32's, behind the chunk

bool left_out(std::uint32_t mask, std::size_t filter) {
  return ((mask >> filter) & 1U) != 0;
}

struct Entry {
  std::uint16_t id;
  std::string name;
  std::vector<std::uint32_t> values;
};

Entry read_entry(Cursor& body, bool old) {
  Entry entry{body.u16("filter"), {}, {}};
  const std::uint64_t name_size = old || entry.id >= first_plugin ? body.u16("size of the filter's name") : 0;
  body.skip(2);  // whether it may be left out
  const std::uint16_t values = body.u16("number of the filter's values");
  const std::string_view name = body.take_text(name_size, "filter's name");
  if (is_utf8(name)) entry.name = name.substr(0, name.find('\0'));
  if (old) body.skip((8 - name_size % 8) % 8);
  for (int k = 0; k < values; ++k) entry.values.push_back(body.u32("filter's value"));
  if (old && values % 2 != 0) body.skip(4);
  return entry;
}

Filter filter_of(const Entry& entry, const Where& where) {
  if (entry.id == 1) return {Filter::Kind::deflate};
  if (entry.id == 3) return {Filter::Kind::fletcher32};
  if (entry.id != 2)
    throw unsupported(fmt::format("a dataset packed with the HDF5 filter {} \"{}\"", entry.id, entry.name),
                      where, store_plainly);
  if (entry.values.empty() || entry.values.front() == 0)
    throw malformed("a shuffle filter without a size", where);
  return {Filter::Kind::shuffle, entry.values.front()};
}

// Of a chunk when `count` filters have been applied, the last of which may not be deflate.
std::uint64_t size_behind(const Filters& filters, std::size_t count, std::uint32_t mask, std::uint64_t size) {
  for (std::size_t k = 0; k < count; ++k) {
    if (filters[k].kind == Filter::Kind::fletcher32 && !left_out(mask, k)) size += checksum_size;
  }
  return size;
}

Bytes checked(Bytes stored, const Where& where) {
  if (stored.size() < checksum_size) throw malformed("a chunk without its checksum", where);
  const Bytes covered = stored.first(stored.size() - checksum_size);
  std::uint32_t stated = 0;
  std::memcpy(&stated, stored.data() + covered.size(), sizeof stated);
  if (fletcher32(covered) != stated) throw malformed("the checksum of a chunk (fletcher32) is wrong", where);
  return covered;
}

}  // namespace

Filters read_filters(const Image& image, const Message& message, const std::string& path) {
  const Where where = image.where(path, message.address);
  Cursor body = body_of(image, message, path);
  const std::uint8_t version = body.u8("version of the filters");
  if (version != 1 && version != 2)
    throw body.error(fmt::format("filters of version {}; 1 and 2 are known", version));
  const std::uint8_t count = body.u8("number of filters");
  if (count > max_filters)
    throw body.error(fmt::format("{} filters; HDF5 has at most {}", count, max_filters));
  if (version == 1) body.skip(6);
  Filters filters;
  for (int k = 0; k < count; ++k) {
    const Filter filter = filter_of(read_entry(body, version == 1), where);
    if (std::ranges::find(filters, filter.kind, &Filter::kind) != filters.end())
      throw unsupported("a dataset packed twice with the same filter", where, store_plainly);
    filters.push_back(filter);
  }
  return filters;
}

bool can_hold(const Filters& filters, std::uint32_t mask, std::uint64_t stored, std::uint64_t size) {
  const auto deflate = static_cast<std::size_t>(
      std::ranges::find(filters, Filter::Kind::deflate, &Filter::kind) - filters.begin());
  if (deflate == filters.size() || left_out(mask, deflate))
    return stored == size_behind(filters, filters.size(), mask, size);
  const auto most = checked_mul(stored, max_expansion);
  return !most || size <= *most;
}

Bytes Unfilter::undo(Bytes stored, std::uint32_t mask, const Where& where) {
  for (std::size_t k = filters_.size(); k-- > 0;) {
    if (left_out(mask, k)) continue;
    switch (filters_[k].kind) {
      case Filter::Kind::fletcher32:
        stored = checked(stored, where);
        break;
      case Filter::Kind::deflate:
        stored = inflate(stored, size_behind(filters_, k, mask, size_), where);
        break;
      case Filter::Kind::shuffle:
        stored = unshuffle(stored, filters_[k].element_size);
        break;
    }
  }
  if (stored.size() != size_)
    throw malformed(fmt::format("a chunk of {} bytes; {} were expected", stored.size(), size_), where);
  return stored;
}

Bytes Unfilter::inflate(Bytes stored, std::uint64_t size, const Where& where) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  inflated_.resize(size);
  const auto result = libdeflate_zlib_decompress(decompressor.get(), stored.data(), stored.size(),
                                                 inflated_.data(), inflated_.size(), nullptr);
  if (result != LIBDEFLATE_SUCCESS)
    throw malformed(fmt::format("a chunk that cannot be inflated to {} bytes", size), where);
  return inflated_;
}

// The bytes of all elements were sorted by their place in the element; what is no whole element came last.
Bytes Unfilter::unshuffle(Bytes stored, std::uint64_t element_size) {
  const std::uint64_t count = stored.size() / element_size;
  unshuffled_.resize(stored.size());
  for (std::uint64_t place = 0; place < element_size && count > 0; ++place) {
    const std::byte* from = stored.data() + place * count;
    std::byte* to = unshuffled_.data() + place;
    for (std::uint64_t k = 0; k < count; ++k) to[k * element_size] = from[k];
  }
  const std::uint64_t whole = count * element_size;
  std::copy(stored.begin() + static_cast<std::ptrdiff_t>(whole), stored.end(),
            unshuffled_.begin() + static_cast<std::ptrdiff_t>(whole));
  return unshuffled_;
}

}  // namespace tieout::hdf5
