// Small files that h5py wrote (tests/hostile/make_small_hdf5.py), cut at every byte, and with every byte
// changed: they are read, or refused with an Error; nothing else.
#include <doctest/doctest.h>

#include <optional>

#include "containers/hdf5/root.h"
#include "containers/hdf5/tree.h"

using namespace tieout;

namespace {

// NOLINTNEXTLINE(misc-no-recursion): trees are at most 64 groups deep.
std::size_t load(const hdf5::Group& group) {
  std::size_t bytes = 0;
  for (const hdf5::Dataset& dataset : group.datasets) bytes += dataset.tensor.load().size();
  for (const hdf5::Group& child : group.groups) bytes += load(child);
  return bytes;
}

struct Small {
  FileRef file;
  std::vector<std::byte> bytes;

  explicit Small(const std::string& name)
      : file(std::make_shared<MappedFile>("tests/hostile/files/" + name + ".weights.h5")),
        bytes(file->bytes().begin(), file->bytes().end()) {}

  // The error of reading the first `size` bytes and all that is in them.
  [[nodiscard]] std::optional<Error> error(std::size_t size) const {
    const Bytes part = Bytes(bytes).first(size);
    static_cast<void>(hdf5::root_names(part));
    try {
      load(hdf5::read_tree(file, part, {}));
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }
};

void damage_everywhere(const std::string& name) {
  CAPTURE(name);
  Small small(name);
  REQUIRE_FALSE(small.error(small.bytes.size()).has_value());
  for (std::size_t size = 0; size < small.bytes.size(); ++size) {
    CAPTURE(size);
    const std::optional<Error> error = small.error(size);
    REQUIRE(error.has_value());
    REQUIRE(error->kind() == ErrorKind::malformed);
    REQUIRE(error->where().offset.has_value());
  }
  for (std::size_t at = 0; at < small.bytes.size(); ++at) {
    const std::byte whole = small.bytes[at];
    for (const unsigned change : {0xffU, 0x80U, 0x01U}) {
      CAPTURE(at);
      CAPTURE(change);
      small.bytes[at] = whole ^ static_cast<std::byte>(change);
      const std::optional<Error> error = small.error(small.bytes.size());
      if (!error) continue;
      const bool named = error->kind() == ErrorKind::malformed || error->kind() == ErrorKind::unsupported;
      REQUIRE_MESSAGE(named, error->describe());
    }
    small.bytes[at] = whole;
  }
}

}  // namespace

TEST_CASE("symbol tables and contiguous elements, damaged anywhere") {
  damage_everywhere("h5_plain");
}

TEST_CASE("packed chunks in a version 1 B-tree, damaged anywhere") {
  damage_everywhere("h5_packed");
}

TEST_CASE("links and attributes in fractal heaps, damaged anywhere") {
  damage_everywhere("h5_dense");
}

TEST_CASE("chunks in arrays and version 2 B-trees, damaged anywhere") {
  damage_everywhere("h5_indexed");
}
