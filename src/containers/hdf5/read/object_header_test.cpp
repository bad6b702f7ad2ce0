#include "containers/hdf5/read/object_header.h"

#include <doctest/doctest.h>

#include <string>

#include "containers/hdf5/read/hand_made.h"

using namespace tieout;
using hdf5::HandMade;
using hdf5::MessageKind;

namespace {

// A header of version 1 with these bytes of messages in its first block.
HandMade& begin_header(HandMade& file, std::uint32_t size) {
  return file.raw({1, 0}).u16(1).u32(1).u32(size).u32(0);
}

// What is wrong with the header at `address`.
std::string complaint(HandMade& file, std::uint64_t address, ErrorKind kind = ErrorKind::malformed) {
  hdf5::Image image = file.image();
  try {
    hdf5::read_object_header(image, address, "a/b");
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    CHECK(error.where().entry == "a/b");
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a header of version 1 goes on in a block elsewhere") {
  HandMade file;
  const std::uint64_t more = file.address();
  file.u16(0x01).u16(2).raw({0, 0, 0, 0, 7, 8});
  const std::uint64_t address = file.address();
  begin_header(file, 24).u16(0x10).u16(16).raw({0, 0, 0, 0}).u64(more).u64(10);
  hdf5::Image image = file.image();
  const hdf5::ObjectHeader header = hdf5::read_object_header(image, address, {});
  const hdf5::Message* space = header.find(MessageKind::dataspace);
  REQUIRE(space != nullptr);
  CHECK(space->address == more + 8);
  CHECK(space->body.size() == 2);
  CHECK(header.find(MessageKind::layout) == nullptr);
}

TEST_CASE("a header that goes on in itself ends") {
  HandMade file;
  const std::uint64_t address = file.address();
  begin_header(file, 24).u16(0x10).u16(16).raw({0, 0, 0, 0}).u64(address + 16).u64(24);
  CHECK(complaint(file, address) == "the structures of the file overlap");
}

TEST_CASE("a header of version 2 has a gap that no message fits into") {
  HandMade file;
  const std::uint64_t address = file.address();
  // Order of creation tracked, so that each message has 2 bytes more.
  file.text("OHDR").raw({2, 0x04, 12, 0x01, 3, 0, 0, 0, 0, 7, 8, 9, 0, 0, 0}).checksum(address);
  hdf5::Image image = file.image();
  const hdf5::ObjectHeader header = hdf5::read_object_header(image, address, {});
  REQUIRE(header.messages.size() == 1);
  CHECK(header.messages[0].body.size() == 3);
  CHECK(header.messages[0].address == address + 13);
}

TEST_CASE("a header of version 2 with a wrong checksum") {
  HandMade file;
  const std::uint64_t address = file.address();
  file.text("OHDR").raw({2, 0, 0}).u32(1);
  CHECK(complaint(file, address) == "the checksum of a structure OHDR is wrong");
}

TEST_CASE("what can be there once is not there twice") {
  HandMade file;
  const std::uint64_t address = file.address();
  begin_header(file, 16).u16(0x08).u16(0).raw({0, 0, 0, 0}).u16(0x08).u16(0).raw({0, 0, 0, 0});
  CHECK(complaint(file, address) == "an object with two messages of the type 8");
}

TEST_CASE("an unknown message may be ignored, unless it says that it may not") {
  for (const int flags : {0x00, 0x80}) {
    HandMade file;
    const std::uint64_t address = file.address();
    begin_header(file, 8).u16(0x99).u16(0).raw({flags, 0, 0, 0});
    const std::string expected = flags == 0 ? "" : "an HDF5 object with a message of the unknown type 153";
    CHECK(complaint(file, address, ErrorKind::unsupported) == expected);
  }
}

TEST_CASE("a message longer than its block") {
  HandMade file;
  const std::uint64_t address = file.address();
  begin_header(file, 8).u16(0x01).u16(1).raw({0, 0, 0, 0}).u64(0);
  CHECK(complaint(file, address) == "expected 1 bytes of message, found 0");
}
