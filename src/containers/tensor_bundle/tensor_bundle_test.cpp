#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "containers/tensor_bundle/bundle_reader.h"
#include "containers/tensor_bundle/bundle_writer.h"
#include "containers/tensor_bundle/crc32c.h"
#include "containers/tensor_bundle/table.h"

using namespace tieout;
using namespace tieout::tensor_bundle;

namespace {

Bytes bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::vector<TableEntry> read(const std::string& file) {
  return read_table(bytes_of(file), {});
}

// "wrong" when nothing is thrown.
std::string kind_of(const std::string& file) {
  try {
    read(file);
  } catch (const Error& error) {
    return to_string(error.kind());
  }
  return "wrong";
}

std::string table_of(int count) {
  TableWriter writer;
  for (int i = 0; i < count; ++i)
    writer.add("layer/" + std::to_string(100000 + i), "value" + std::to_string(i));
  return writer.finish();
}

std::string block_of(const std::string& entries, const std::string& restarts, char compression = 0) {
  std::string block = entries + restarts + compression;
  const std::uint32_t crc = masked(crc32c_of(bytes_of(block)));
  for (int shift = 0; shift < 32; shift += 8) block += static_cast<char>(crc >> shift);
  return block;
}

const std::string one_restart("\0\0\0\0\1\0\0\0", 8);

// A table of one block, its parts as given.
std::string table_of(const std::string& entries, const std::string& restarts, char compression = 0) {
  const auto length = [](const std::string& block) { return static_cast<char>(block.size() - 5); };
  const std::string block = block_of(entries, restarts, compression);
  const std::string metaindex = block_of({}, one_restart);
  const std::string index = block_of(std::string("\x00\x01\x02z\x00", 5) + length(block), one_restart);
  std::string footer{static_cast<char>(block.size()), length(metaindex)};
  footer += {static_cast<char>(block.size() + metaindex.size()), length(index)};
  footer.resize(40, '\0');
  return block + metaindex + index + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tieout_bundle_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

LazyTensor counting(const Shape& shape) {
  std::vector<float> values(element_count(shape));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7;
  const auto bytes = std::as_bytes(std::span(values));
  return make_tensor(DType::f32, shape, {bytes.begin(), bytes.end()});
}

}  // namespace

TEST_CASE("CRC-32C has the values of RFC 3720, B.4, in every way it is computed") {
  const std::string zeros(32, '\0');
  const std::string ones(32, '\xFF');
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  for (const auto of :
       {+[](Bytes bytes) { return crc32c_of(bytes); }, +[](Bytes bytes) { return crc32c_by_table(bytes); }}) {
    CHECK(of(bytes_of(zeros)) == 0x8A9136AA);
    CHECK(of(bytes_of(ones)) == 0x62A8AB43);
    CHECK(of(bytes_of(rising)) == 0x46DD794E);
    CHECK(of(bytes_of("123456789")) == 0xE3069283);
    CHECK(of({}) == 0);
  }
}

TEST_CASE("a large CRC-32C is that of its parts") {
  std::string large(std::size_t{9} << 20, '\0');
  std::uint32_t state = 1;
  for (char& c : large) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (const std::size_t size :
       {std::size_t{24575}, std::size_t{24576}, std::size_t{100003}, large.size() - 3}) {
    const Bytes bytes = bytes_of(large).subspan(1, size);
    const std::uint32_t crc = crc32c_by_table(bytes);
    CHECK(crc32c_of(bytes) == crc);
    CHECK(crc32c_of(bytes.subspan(1000), crc32c_of(bytes.first(1000))) == crc);
  }
}

TEST_CASE("a table gives back its entries, of one block and of several") {
  for (const int count : {0, 1, 16, 17, 40000}) {
    const std::string file = table_of(count);
    const auto entries = read(file);
    REQUIRE(entries.size() == static_cast<std::size_t>(count));
    for (int i = 0; i < count; i += 13) {
      const TableEntry& entry = entries[static_cast<std::size_t>(i)];
      CHECK(entry.key == "layer/" + std::to_string(100000 + i));
      CHECK(std::string(reinterpret_cast<const char*>(entry.value.data()), entry.value.size()) ==
            "value" + std::to_string(i));
      CHECK(file.substr(entry.offset, 5) == "value");
    }
  }
}

TEST_CASE("a table that is cut or changed anywhere is malformed") {
  const std::string file = table_of(20);
  for (std::size_t size = 0; size < file.size(); ++size) CHECK(kind_of(file.substr(0, size)) == "malformed");
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    CHECK(kind_of(changed) == "malformed");
  }
}

TEST_CASE("tables that no writer makes are refused") {
  const std::string a("\0\1\1ax", 5);
  const std::string b("\0\1\1bx", 5);
  CHECK(kind_of(table_of(a + b, one_restart)) == "wrong");
  CHECK(kind_of(table_of(b + a, one_restart)) == "malformed");                       // out of order
  CHECK(kind_of(table_of(a + a, one_restart)) == "malformed");                       // twice
  CHECK(kind_of(table_of(std::string("\2\1\1ax", 5), one_restart)) == "malformed");  // shares with nothing
  CHECK(kind_of(table_of(a + b, std::string("\0\0\0\0\3\0\0\0\2\0\0\0", 12))) ==
        "malformed");                                                                // a restart inside
  CHECK(kind_of(table_of(a, std::string("\0\0\0\0\xFF\0\0\0", 8))) == "malformed");  // too many of them
  CHECK(kind_of(table_of(a, one_restart, 1)) == "unsupported");                      // Snappy
  CHECK(kind_of(table_of(a, one_restart, 7)) == "malformed");
}

TEST_CASE("slices have TensorFlow's keys") {
  // Of a variable "v" of shape (64, 3), cut at 10.
  Slice slice{{{0, 10}, {}}};
  CHECK(slice.key("v") == std::string("\0v\0\1\1\2\x80\x8a\x80\x7f", 10));
  slice.extents[0] = {10, 54};
  CHECK(slice.key("v") == std::string("\0v\0\1\1\2\x8a\xb6\x80\x7f", 10));
  // tensorflow/core/lib/strings/ordered_code_test.cc: 64 takes two bytes.
  slice.extents = {{64, 8192}};
  CHECK(slice.key("v") == std::string("\0v\0\1\1\1\xc0\x40\xe0\x20\0", 11));
}

TEST_CASE("a bundle gives back tensors and texts") {
  const Folder folder;
  const std::string path = (folder.path / "m.index").string();
  OutputFile index(path, false);
  OutputFile data(data_path(path, 0, 1), false);
  const LazyTensor kernel = counting({3, 5});
  const std::vector<NamedTensor> tensors{
      {"b/kernel", kernel}, {"a", counting({})}, {"none", counting({0, 2})}};
  write_bundle({{data, tensors}}, {{"graph", std::string("x\0y", 3)}}, index, {});
  index.commit();
  data.commit();
  const BundleReader bundle(std::make_shared<const MappedFile>(path), path, {});
  REQUIRE(bundle.tensors().size() == 3);
  CHECK(bundle.tensors()[0].name == "a");
  CHECK(bundle.tensors()[1].tensor.shape == Shape{3, 5});
  CHECK(bundle.tensors()[1].tensor.load() == kernel.load());
  CHECK(bundle.tensors()[2].tensor.load().empty());
  CHECK(bundle.others() == std::vector<std::string>{"graph"});
  REQUIRE(bundle.strings("graph"));
  CHECK(bundle.strings("graph")->at(0) == std::string_view("x\0y", 3));
  CHECK_FALSE(bundle.strings("a"));
}

TEST_CASE("a data file that was changed or cut is malformed") {
  const Folder folder;
  const std::string path = (folder.path / "m.index").string();
  const std::string data_file = data_path(path, 0, 1);
  OutputFile index(path, false);
  OutputFile data(data_file, false);
  const std::vector<NamedTensor> tensors{{"kernel", counting({3, 5})}};
  write_bundle({{data, tensors}}, {{"graph", "xyz"}}, index, {});
  index.commit();
  data.commit();
  const auto size = std::filesystem::file_size(data_file);
  for (std::uintmax_t at = 0; at < size; ++at) {
    std::fstream file(data_file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char old = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(old ^ 1));
    file.flush();
    const BundleReader bundle(std::make_shared<const MappedFile>(path), path, {});
    const bool in_tensor = at >= size - 60;
    if (in_tensor) CHECK_THROWS_AS(static_cast<void>(bundle.tensors()[0].tensor.load()), Error);
    if (!in_tensor) CHECK_THROWS_AS(static_cast<void>(bundle.strings("graph")), Error);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(old);
  }
  std::filesystem::resize_file(data_file, size - 1);
  CHECK_THROWS_AS(BundleReader(std::make_shared<const MappedFile>(path), path, {}), Error);
}
