#include <doctest/doctest.h>

#include <span>
#include <string>

#include "containers/protobuf/message_reader.h"
#include "containers/protobuf/message_writer.h"

using namespace tieout;
using protobuf::Field;
using protobuf::MessageReader;

namespace {

Bytes bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

ErrorKind refused(const std::string& text) {
  MessageReader reader(bytes_of(text), {});
  Field field;
  try {
    while (reader.next(field)) {
    }
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("the examples of the encoding's specification are read") {
  // https://protobuf.dev/programming-guides/encoding/: {1: 150}, {2: "testing"}, {3: {1: 150}}
  const std::string text =
      std::string("\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x25\x01\x02\x03\x04", 22);
  MessageReader reader(bytes_of(text), {});
  Field field;
  REQUIRE(reader.next(field));
  CHECK(field.number == 1);
  CHECK(field.varint() == 150);
  CHECK_THROWS_AS(static_cast<void>(field.bytes()), Error);
  REQUIRE(reader.next(field));
  CHECK(field.text() == "testing");
  CHECK_THROWS_AS(static_cast<void>(field.varint()), Error);
  REQUIRE(reader.next(field));
  MessageReader inner = field.message();
  Field in;
  REQUIRE(inner.next(in));
  CHECK(in.varint() == 150);
  CHECK_FALSE(inner.next(in));
  REQUIRE(reader.next(field));
  CHECK(field.fixed32() == 0x04030201);
  CHECK_FALSE(reader.next(field));
}

TEST_CASE("the writer gives the specification's bytes") {
  protobuf::MessageWriter inner;
  inner.varint(1, 150);
  protobuf::MessageWriter writer;
  writer.varint(1, 150);
  writer.bytes(2, "testing");
  writer.bytes(3, inner.text());
  writer.fixed32(4, 0x04030201);
  CHECK(writer.text() ==
        std::string("\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x25\x01\x02\x03\x04", 22));
}

TEST_CASE("varints have at most 64 bits") {
  const std::string largest = std::string(9, '\xFF') + '\x01';
  ByteReader reader(bytes_of(largest), {});
  CHECK(protobuf::take_varint(reader, "x") == ~std::uint64_t{0});
  CHECK(refused("\x08" + std::string(9, '\xFF') + '\x02') == ErrorKind::malformed);
  CHECK(refused("\x08" + std::string(11, '\x80')) == ErrorKind::malformed);
}

TEST_CASE("what is no field is malformed") {
  CHECK(refused(std::string("\x00\x01", 2)) == ErrorKind::malformed);  // the number 0
  CHECK(refused("\x0b") == ErrorKind::malformed);                      // a group
  CHECK(refused("\x0e") == ErrorKind::malformed);                      // no such wire type
  CHECK(refused("\x12\x05"
                "ab") == ErrorKind::malformed);  // longer than what is left
  CHECK(refused("\x08") == ErrorKind::malformed);
}
