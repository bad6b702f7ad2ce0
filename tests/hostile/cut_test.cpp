// Small files of LeNet's layers (make_tiny_lenet.py), cut at every byte: each cut is an Error(malformed) that
// names the file and a byte offset, whether the file is looked at or converted, and nothing is left behind.
#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "tieout.h"
#include "tieout/error.h"
#include "verify/child_process.h"

using namespace tieout;
namespace fs = std::filesystem;

namespace {

const fs::path files = "tests/hostile/files";

// The whole way of `tieout convert`, but for the last step that makes the target appear.
void convert(const fs::path& source, const fs::path& target) {
  ConvertOptions options;
  options.source = source.string();
  options.target = target.string();
  const Conversion conversion = prepare(options);
  write(conversion, options);
}

template <typename Attempt>
std::optional<Error> error_of(const Attempt& attempt) {
  try {
    attempt();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

void check_cut(const std::optional<Error>& error, const fs::path& path) {
  REQUIRE(error.has_value());
  INFO(error->describe());
  CHECK(error->kind() == ErrorKind::malformed);
  CHECK(error->where().file == path.string());
  CHECK(error->where().offset.has_value());
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void cut_everywhere(const std::string& name, const std::string& target) {
  const TemporaryDirectory folder;
  const fs::path path = folder.path() / name;
  fs::copy_file(files / name, path);
  const auto whole = fs::file_size(path);
  REQUIRE(whole > 1000);
  CHECK_FALSE(error_of([&] { open_side(path.string()); }).has_value());
  for (auto size = whole; size-- > 0;) {
    CAPTURE(size);
    fs::resize_file(path, size);
    check_cut(error_of([&] { open_side(path.string()); }), path);
    check_cut(error_of([&] { convert(path, folder.path() / target); }), path);
    REQUIRE(entries(folder.path()) == 1);
  }
}

}  // namespace

TEST_CASE("a PyTorch state_dict cut anywhere") {
  cut_everywhere("tiny_lenet.pt", "out.keras");
}

TEST_CASE("a state_dict of PyTorch before 1.6 cut anywhere") {
  cut_everywhere("tiny_lenet_legacy.pt", "out.keras");
}

TEST_CASE("a pickled PyTorch module cut anywhere") {
  cut_everywhere("tiny_lenet_module.pt", "out.keras");
}

TEST_CASE("NumPy's arrays cut anywhere") {
  cut_everywhere("tiny_lenet.npz", "out.keras");
}

TEST_CASE("safetensors cut anywhere") {
  cut_everywhere("tiny_lenet.safetensors", "out.keras");
}

TEST_CASE("a Keras 3 archive cut anywhere") {
  cut_everywhere("tiny_lenet.keras", "out.pt");
}

TEST_CASE("a Keras .h5 model cut anywhere") {
  cut_everywhere("tiny_lenet.h5", "out.pt");
}

TEST_CASE("Keras 3 weights cut anywhere") {
  cut_everywhere("tiny_lenet.weights.h5", "out.pt");
}
