#include "containers/npy/npy.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <span>

using namespace tieout;

namespace {

// A version 1 file: the header as given, then the elements.
std::string file_of(const std::string& header, const std::string& elements) {
  std::string text = "\x93NUMPY";
  text += {'\x01', '\x00', static_cast<char>(header.size()), '\x00'};
  return text + header + elements;
}

LazyTensor read(const std::string& text) {
  const auto owner = std::make_shared<std::string>(text);
  return read_npy(std::as_bytes(std::span(*owner)), {}, owner);
}

std::string bytes_of(std::initializer_list<char> values) {
  return {values};
}

}  // namespace

TEST_CASE("an array is read, column-major ones in row-major order") {
  const std::string elements = bytes_of({1, 2, 3, 4, 5, 6});
  const auto c = read(file_of("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", elements));
  CHECK(c.dtype == DType::u8);
  CHECK(c.shape == Shape{2, 3});
  CHECK(std::memcmp(c.load().data(), elements.data(), 6) == 0);
  const auto f = read(file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", elements));
  CHECK(std::memcmp(f.load().data(), bytes_of({1, 3, 5, 2, 4, 6}).data(), 6) == 0);
}

TEST_CASE("what is damaged or not carried is refused") {
  const auto refused = [](const std::string& header, const std::string& elements) {
    CHECK_THROWS_AS(read(file_of(header, elements)), Error);
  };
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", "12345");
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", "1234567");
  refused("{'descr': '>f8', 'fortran_order': False, 'shape': (), }", "12345678");
  refused("{'descr': '|O', 'fortran_order': False, 'shape': (), }", "12345678");
  refused("{'descr': '|u1', 'fortran_order': 0, 'shape': (), }", "1");
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", "");
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 9), }", "");
  refused("{'descr': '|u1', 'shape': (1,)}", "1");
  refused("__import__('os')", "");
  CHECK_THROWS_AS(read("\x93NUMPY"), Error);
}

TEST_CASE("headers are NumPy's own, byte by byte") {
  // np.save of np.zeros((2, 3)): 128 bytes before the elements in all.
  const std::string header = npy_header(DType::f64, {2, 3});
  CHECK(header.size() == 128);
  CHECK(header.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(header.substr(10, 58) == "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), ");
  CHECK(npy_header(DType::f32, {5}).find("'shape': (5,), }") != std::string::npos);
  CHECK(npy_header(DType::f32, {}).find("'shape': (), }") != std::string::npos);
  CHECK_THROWS_AS(npy_header(DType::bf16, {2}), Error);
}

TEST_CASE("an archive gives back what was put into it") {
  const auto path = (std::filesystem::temp_directory_path() / "tieout_npy_test.npz").string();
  const std::vector<std::byte> bytes{std::byte{7}, std::byte{9}};
  {
    OutputFile out(path, true);
    write_npz(
        out, {{"input/0", make_tensor(DType::i8, {2, 1}, bytes)}, {"b", make_tensor(DType::u8, {2}, bytes)}});
    out.commit();
  }
  const auto read_back = read_npz(std::make_shared<const MappedFile>(path));
  std::filesystem::remove(path);
  REQUIRE(read_back.size() == 2);
  CHECK(read_back[0].name == "input/0");
  CHECK(read_back[0].tensor.shape == Shape{2, 1});
  CHECK(read_back[1].tensor.load() == bytes);
}
