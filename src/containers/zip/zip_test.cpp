#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "containers/zip/zip_reader.h"
#include "containers/zip/zip_writer.h"

namespace tieout {
namespace {

// Written by CPython 3.11's zipfile: n/a.txt, deflated, "abc" ten times; n/b.bin, stored, 0 1 2 3.
constexpr std::string_view python_zip =
    "504b03041400000008000000210081fcb148070000001e000000070000006e2f612e7478744b4c4a4ec48d00504b03041400"
    "00000000000021001386b98b0400000004000000070000006e2f622e62696e00010203504b01021403140000000800000021"
    "0081fcb148070000001e0000000700000000000000000000008001000000006e2f612e747874504b01021403140000000000"
    "000021001386b98b040000000400000007000000000000000000000080012c0000006e2f622e62696e504b05060000000002"
    "0002006a000000550000000000";
// The same with force_zip64: n/a.txt, "abc".
constexpr std::string_view python_zip64 =
    "504b03042d000000000000002100c2412435ffffffffffffffff070014006e2f612e74787401001000030000000000000003"
    "00000000000000616263504b01022d032d000000000000002100c24124350300000003000000070000000000000000000000"
    "8001000000006e2f612e747874504b05060000000001000100350000003c0000000000";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tieout_zip_test";

FileRef file_of(const std::string& bytes) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = folder / "case.zip";
  // A file that is mapped keeps its bytes when another takes its name.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
  return std::make_shared<const MappedFile>(path.string());
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The message when reading all of the archive fails; empty when it does not.
std::string refusal(const std::string& bytes) {
  try {
    const ZipReader zip(file_of(bytes));
    for (const ZipEntry& entry : zip.entries()) static_cast<void>(zip.read(entry, 1 << 20));
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::malformed);
    return error.what();
  }
}

std::string replaced(std::string bytes, std::size_t at, std::string_view by) {
  return bytes.replace(at, by.size(), by);
}

std::string written(ZipAlignment alignment) {
  const std::filesystem::path path = folder / "written.zip";
  std::filesystem::create_directories(folder);
  OutputFile out(path.string(), true);
  ZipWriter zip(out, alignment);
  zip.add("a/one", "1");
  zip.add("a/tensor", Payload::of(make_tensor(DType::u8, {6}, std::vector<std::byte>(6, std::byte{'t'}))));
  zip.add("a/empty", "");
  zip.finish();
  out.commit();
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("zip: reads what Python's zipfile wrote") {
  const ZipReader zip(file_of(from_hex(python_zip)));
  REQUIRE(zip.entries().size() == 2);
  CHECK(zip.entries()[0].name == "n/a.txt");
  CHECK(zip.entries()[0].size == 30);
  CHECK(text_of(zip.read(zip.get("n/a.txt"), 30)) == "abcabcabcabcabcabcabcabcabcabc");
  CHECK(zip.stored(zip.get("n/b.bin"))[3] == std::byte{3});
  CHECK(zip.find("n/c") == nullptr);
  CHECK_THROWS_WITH_AS(static_cast<void>(zip.get("n/c")), "the archive has no record 'n/c'", Error);
  CHECK_THROWS_WITH_AS(static_cast<void>(zip.read(zip.get("n/a.txt"), 29)),
                       "the record has 30 bytes where at most 29 are accepted", Error);
}

TEST_CASE("zip: reads zip64 fields") {
  const ZipReader zip(file_of(from_hex(python_zip64)));
  CHECK(text_of(zip.read(zip.get("n/a.txt"), 3)) == "abc");
}

TEST_CASE("zip: an archive that is cut anywhere is malformed") {
  const std::string whole = from_hex(python_zip);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(refusal(whole.substr(0, size)) != "");
}

TEST_CASE("zip: each lie is found") {
  const std::string whole = from_hex(python_zip);
  // Offsets: local headers at 0 and 44, directory at 85, its second entry at 138, end record at 191.
  CHECK(refusal(whole) == "");
  CHECK(refusal(replaced(whole, 37, "\x4d")) == "the record does not inflate to its 30 bytes");
  CHECK(refusal(replaced(whole, 81, "\x01")) ==
        "the record's bytes do not have its CRC; the file is damaged");
  CHECK(refusal(replaced(whole, 22, "\x1f")) ==
        "the record's header has other sizes or another CRC than the directory");
  CHECK(refusal(replaced(whole, 30, "N")) == "the record's header has another name than the directory");
  CHECK(refusal(replaced(whole, 85 + 24, "\xff\xff\xff")) ==
        "the record claims to inflate to 16777215 bytes from 7, more than deflate can do");
  CHECK(refusal(replaced(whole, 138 + 46, "n/a.txt")) == "two records have the name 'n/a.txt'");
  CHECK(refusal(replaced(replaced(whole, 44 + 30, "../.bin"), 138 + 46, "../.bin")) ==
        "the record name '../.bin' leaves the archive");
  CHECK(refusal(replaced(replaced(whole, 44 + 30, "/etc/pw"), 138 + 46, "/etc/pw")) ==
        "the record name '/etc/pw' is not a relative path");
  CHECK(refusal(replaced(whole, 138 + 42, std::string(1, '\0'))) ==
        "the record's header has another name than the directory");
  CHECK(refusal(whole + "x") == "the archive has no end record; the file is cut or not a zip archive");
  CHECK(refusal(replaced(whole, 191 + 8, std::string_view("\x09\x00\x09", 3))) ==
        "the directory is too small for 9 records");
}

TEST_CASE("zip: a CRC of zero counts as none only when all are zero") {
  std::string whole = from_hex(python_zip);
  const std::string none(4, '\0');
  whole = replaced(replaced(whole, 44 + 14, none), 138 + 16, none);
  CHECK(refusal(whole) == "the record's bytes do not have its CRC; the file is damaged");
  whole = replaced(replaced(whole, 14, none), 85 + 16, none);
  CHECK(refusal(whole) == "");
}

TEST_CASE("zip: writes records as they are, aligned when asked") {
  const ZipReader plain(file_of(written(ZipAlignment::none)));
  CHECK(text_of(plain.read(plain.get("a/tensor"), 6)) == "tttttt");
  CHECK(plain.entries()[0].payload_offset == 35);
  const ZipReader aligned(file_of(written(ZipAlignment::torch)));
  CHECK(text_of(aligned.read(aligned.get("a/one"), 1)) == "1");
  CHECK(aligned.get("a/empty").size == 0);
  for (const ZipEntry& entry : aligned.entries()) CHECK(entry.payload_offset % 64 == 0);
}

}  // namespace
}  // namespace tieout
