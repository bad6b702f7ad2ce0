#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "formats/safetensors/header.h"
#include "formats/safetensors/writer.h"

namespace tieout {
namespace {

const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tieout_safetensors_test";

std::string with_length(const std::string& header) {
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) text.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFF));
  return text + header;
}

FileRef file_of(const std::string& bytes) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = folder / "case.safetensors";
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
  return std::make_shared<const MappedFile>(path.string());
}

std::string refusal(const std::string& header, std::size_t elements) {
  try {
    static_cast<void>(safetensors::read_header(file_of(with_length(header) + std::string(elements, '\0'))));
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::malformed);
    return error.what();
  }
}

TEST_CASE("safetensors: each lie is found") {
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8) == "");
  CHECK(refusal("{}", 0) == "");
  CHECK(
      refusal(
          R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})",
          4) == "");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9) ==
        "bytes are left after the last tensor");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8) ==
        "a shape of (3,) does not have 8 bytes");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8) ==
        "a tensor needs dtype, shape and data_offsets, and nothing else");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8) ==
        "a size or an offset is not an unsigned 64-bit integer");
  CHECK(refusal(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8) ==
        "the element type 'F99' is unknown");
  CHECK(refusal(R"({"__metadata__":{"a":1}})", 0) == "__metadata__ holds a value that is not a string");
  CHECK(refusal("[]", 0) == "the header does not begin with '{'");
}

// safetensors 0.8.0, save_file({"b": f32 [1, 2], "a": f32 2.0, "n": i64 [5]}, metadata={"k": "v"}): wider
// types first, then names; the header is padded with spaces to a multiple of 8.
TEST_CASE("safetensors: writes in the library's order") {
  const std::string expected_header =
      R"({"__metadata__":{"k":"v"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "written.safetensors").string();
  OutputFile out(path, true);
  safetensors::write_tensors({{"b", make_tensor(DType::f32, {2}, std::vector<std::byte>(8, std::byte{1}))},
                              {"a", make_tensor(DType::f32, {}, std::vector<std::byte>(4, std::byte{2}))},
                              {"n", make_tensor(DType::i64, {1}, std::vector<std::byte>(8, std::byte{5}))}},
                             {{"k", "v"}}, out);
  out.commit();
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::string padded = expected_header;
  padded.resize((padded.size() + 7) / 8 * 8, ' ');
  CHECK(bytes == with_length(padded) + std::string(8, '\5') + std::string(4, '\2') + std::string(8, '\1'));
}

}  // namespace
}  // namespace tieout
