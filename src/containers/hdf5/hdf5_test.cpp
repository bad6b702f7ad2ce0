#include <doctest/doctest.h>

#include <cstring>
#include <fstream>

#include "base/output_file.h"
#include "containers/hdf5/tree.h"
#include "containers/hdf5/writer.h"

using namespace tieout;

namespace {

// A file in the build's working directory that goes away.
struct Scratch {
  std::string path = "hdf5_test.tmp.h5";
  ~Scratch() { std::remove(path.c_str()); }
};

hdf5::Group read(const std::string& path) {
  const auto file = std::make_shared<MappedFile>(path);
  return hdf5::read_tree(file, file->bytes(), {});
}

std::vector<std::byte> elements(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 2);
  return bytes;
}

void write_sample(const std::string& path) {
  OutputFile out(path, true);
  hdf5::Writer writer(path);
  writer.dataset("a/vars/0", make_tensor(DType::f32, {2, 3}, elements(24)));
  writer.text("a/vars", "name", "dense");
  write_whole(out, writer.finish(), {});
  out.commit();
}

}  // namespace

TEST_CASE("every element type comes back as it was written, and in place") {
  const Scratch scratch;
  const std::vector<DType> dtypes{DType::boolean, DType::u8,  DType::i8,  DType::u16, DType::i16,
                                  DType::u32,     DType::i32, DType::u64, DType::i64, DType::bf16,
                                  DType::f16,     DType::f32, DType::f64};
  {
    OutputFile out(scratch.path, true);
    hdf5::Writer writer(scratch.path);
    for (const DType dtype : dtypes) {
      writer.dataset("t/" + std::string(to_string(dtype)),
                     make_tensor(dtype, {3}, elements(3 * size_of(dtype))));
    }
    writer.dataset("t/scalar", make_tensor(DType::i64, {}, elements(8)));
    write_whole(out, writer.finish(), {});
    out.commit();
  }
  const hdf5::Group tree = read(scratch.path);
  for (const DType dtype : dtypes) {
    CAPTURE(to_string(dtype));
    const hdf5::Dataset* dataset = tree.find_dataset("t/" + std::string(to_string(dtype)));
    REQUIRE(dataset != nullptr);
    CHECK(dataset->tensor.dtype == dtype);
    CHECK(dataset->tensor.load() == elements(3 * size_of(dtype)));
    CHECK(dataset->tensor.source->view().size() == 3 * size_of(dtype));
  }
  CHECK(tree.find_dataset("t/scalar")->tensor.shape.empty());
}

TEST_CASE("lists of names longer than an attribute are split and joined again") {
  const Scratch scratch;
  std::vector<std::string> names;
  for (int i = 0; i < 900; ++i) names.push_back(std::string(110, 'n') + std::to_string(i));
  {
    OutputFile out(scratch.path, true);
    hdf5::Writer writer(scratch.path);
    writer.texts({}, "layer_names", names);
    writer.texts({}, "few", {"a", "b"});
    writer.texts({}, "none", {});
    write_whole(out, writer.finish(), {});
    out.commit();
  }
  const hdf5::Group tree = read(scratch.path);
  CHECK(tree.texts("layer_names") == names);
  CHECK(tree.texts("few") == std::vector<std::string>{"a", "b"});
  CHECK(tree.texts("none") == std::vector<std::string>{});
  CHECK_FALSE(tree.texts("missing").has_value());
}

TEST_CASE("members made of digits are in the order of their numbers") {
  const Scratch scratch;
  {
    OutputFile out(scratch.path, true);
    hdf5::Writer writer(scratch.path);
    for (const char* name : {"10", "9", "2", "0"})
      writer.dataset(name, make_tensor(DType::u8, {1}, elements(1)));
    write_whole(out, writer.finish(), {});
    out.commit();
  }
  std::string order;
  for (const hdf5::Dataset& dataset : read(scratch.path).datasets) order += dataset.name + " ";
  CHECK(order == "0 2 9 10 ");
}

TEST_CASE("a file cut anywhere is malformed, with the file's name and a byte offset") {
  const Scratch scratch;
  write_sample(scratch.path);
  std::ifstream in(scratch.path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(scratch.path, std::ios::binary).write(whole.data(), static_cast<std::streamsize>(size));
    try {
      read(scratch.path);
      FAIL("read a file of " << size << " bytes");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::malformed);
      REQUIRE(error.where().file == scratch.path);
      REQUIRE(error.where().offset.has_value());
    }
  }
}
