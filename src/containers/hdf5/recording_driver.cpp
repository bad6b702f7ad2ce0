#include "containers/hdf5/recording_driver.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace tieout::hdf5 {

namespace {

// What travels in the file access property list.
struct Target {
  Pages* pages;
};

// libhdf5 casts between H5FD_t and this, so `base` comes first.
struct RecordedFile {
  H5FD_t base;
  Pages* pages;
  haddr_t end_of_allocation;
};

RecordedFile* mine(H5FD_t* file) {
  return reinterpret_cast<RecordedFile*>(file);
}
const RecordedFile* mine(const H5FD_t* file) {
  return reinterpret_cast<const RecordedFile*>(file);
}

// Calls see(page number, first byte in it, bytes, bytes done before) for each page of a range.
template <typename See>
void each_page(std::uint64_t address, std::uint64_t size, See see) {
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t at = address + done;
    const std::uint64_t count = std::min(Pages::size - at % Pages::size, size - done);
    see(at / Pages::size, at % Pages::size, count, done);
    done += count;
  }
}

H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) {
  const auto* target = static_cast<const Target*>(H5Pget_driver_info(access));
  if (target == nullptr) return nullptr;
  auto* file = new (std::nothrow) RecordedFile{};
  if (file == nullptr) return nullptr;
  file->pages = target->pages;
  return &file->base;
}

// The library gives back what it took too much of, and ends the file there: so does its own driver.
herr_t close(H5FD_t* file) {
  mine(file)->pages->end = mine(file)->end_of_allocation;
  delete mine(file);
  return 0;
}

int compare(const H5FD_t* a, const H5FD_t* b) {
  return a < b ? -1 : static_cast<int>(a > b);
}

// What the library's own driver for files answers, so that the layout is the same.
herr_t query(const H5FD_t*, unsigned long* flags) {
  if (flags != nullptr) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
  }
  return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) {
  return mine(file)->end_of_allocation;
}

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  mine(file)->end_of_allocation = address;
  mine(file)->pages->end = std::max<std::uint64_t>(mine(file)->pages->end, address);
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) {
  return mine(file)->pages->end;
}

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, void* buffer) {
  auto* out = static_cast<std::byte*>(buffer);
  const auto& pages = mine(file)->pages->pages;
  each_page(address, size,
            [&](std::uint64_t page, std::uint64_t first, std::uint64_t count, std::uint64_t done) {
              const auto found = pages.find(page);
              if (found == pages.end()) {
                std::memset(out + done, 0, count);
              } else {
                std::memcpy(out + done, found->second.data() + first, count);
              }
            });
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, const void* buffer) {
  const auto* in = static_cast<const std::byte*>(buffer);
  auto& pages = mine(file)->pages->pages;
  try {
    each_page(address, size,
              [&](std::uint64_t page, std::uint64_t first, std::uint64_t count, std::uint64_t done) {
                auto& bytes = pages[page];
                bytes.resize(Pages::size);
                std::memcpy(bytes.data() + first, in + done, count);
              });
  } catch (const std::bad_alloc&) {
    return -1;  // exceptions must not pass libhdf5
  }
  return 0;
}

hid_t driver() {
  static const hid_t id = [] {
    H5FD_class_t functions{};
    functions.name = "tieout_recording";
    functions.maxaddr = static_cast<haddr_t>(-1) / 2;
    functions.fc_degree = H5F_CLOSE_STRONG;
    functions.fapl_size = sizeof(Target);
    functions.open = open;
    functions.close = close;
    functions.cmp = compare;
    functions.query = query;
    functions.get_eoa = end_of_allocation;
    functions.set_eoa = set_end_of_allocation;
    functions.get_eof = end_of_file;
    functions.read = read;
    functions.write = write;
    return H5FDregister(&functions);
  }();
  return id;
}

}  // namespace

Handle Recording::create() const {
  prepare_library();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Target target{pages_.get()};
  if (!access.ok() || H5Pset_driver(access.id(), driver(), &target) < 0) {
    throw internal_error("libhdf5 does not accept the recording driver: " + library_reason());
  }
  return {H5Fcreate("recording", H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose};
}

Payload Recording::payload(std::vector<Payload::Placed> tensors) const {
  std::ranges::sort(tensors, {}, &Payload::Placed::offset);
  Payload payload{pages_->end, {}, {}};
  auto next = tensors.begin();  // the first tensor that ends behind the page
  const auto end_of = [](const Payload::Placed& placed) {
    return placed.offset + byte_count(placed.tensor.shape, placed.tensor.dtype);
  };
  for (const auto& [number, bytes] : pages_->pages) {
    std::uint64_t at = number * Pages::size;
    const std::uint64_t end = std::min(at + Pages::size, pages_->end);
    while (at < end) {
      while (next != tensors.end() && end_of(*next) <= at) ++next;
      const std::uint64_t last = next == tensors.end() ? end : std::clamp(next->offset, at, end);
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at % Pages::size);
      if (last > at) payload.pieces.push_back({at, {first, first + static_cast<std::ptrdiff_t>(last - at)}});
      at = next == tensors.end() ? end : std::max(last, std::min(end_of(*next), end));
    }
  }
  payload.tensors = std::move(tensors);
  return payload;
}

}  // namespace tieout::hdf5
