#include "tensor/payload.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "base/crc32.h"
#include "tensor/loop_cut.h"

using namespace tieout;

namespace {

std::vector<std::byte> counted(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t k = 0; k < size; ++k) bytes[k] = static_cast<std::byte>(k * 37 % 251);
  return bytes;
}

// Rows of a matrix, which can be read some columns at a time.
class ByColumns : public TensorSource {
 public:
  ByColumns(std::vector<std::byte> bytes, std::uint64_t columns)
      : bytes_(std::move(bytes)), columns_(columns) {}
  void read(std::span<std::byte> out) const override { std::ranges::copy(bytes_, out.begin()); }
  [[nodiscard]] std::vector<TensorPart> parts(std::uint64_t size, std::uint64_t most) const override {
    CHECK(size == bytes_.size());
    const std::uint64_t rows = size / columns_;
    const std::uint64_t step = std::max<std::uint64_t>(most / rows, 1);
    std::vector<TensorPart> made;
    for (std::uint64_t first = 0; first < columns_; first += step)
      made.push_back(
          {.begin = first, .run = std::min(step, columns_ - first), .count = rows, .stride = columns_});
    return made;
  }
  void read_part(const TensorPart& part, std::span<std::byte> out) const override {
    for (std::uint64_t k = 0; k < part.count; ++k) {
      const auto run = Bytes(bytes_).subspan(part.begin + k * part.stride, part.run);
      std::ranges::copy(run, out.begin() + static_cast<std::ptrdiff_t>(k * part.run));
    }
  }

 private:
  std::vector<std::byte> bytes_;
  std::uint64_t columns_;
};

std::vector<std::byte> written(const std::vector<PlacedPayload>& payloads, const PayloadOptions& options,
                               std::vector<std::uint32_t>& crcs) {
  const std::string path = "payload_test.tmp";
  OutputFile out(path, true);
  crcs = write_payloads(out, payloads, options);
  out.commit();
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::remove(path.c_str());
  const Bytes bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("payloads lie at their places, with zeros in the gaps, and have their CRC") {
  const auto viewed = counted(3000);
  const auto parted = counted(40 * 50);
  Payload first{.size = 6000, .pieces = {{2, counted(5)}}, .tensors = {}};
  first.tensors.push_back({10, make_tensor(DType::u8, {3000}, viewed)});
  first.tensors.push_back(
      {3500, LazyTensor{DType::u8, {40, 50}, std::make_shared<ByColumns>(parted, 50), {}}});
  const Payload second = Payload::of(make_tensor(DType::f32, {2}, counted(8)));
  std::vector<std::byte> wanted(100 + 6000 + 8);
  std::ranges::copy(counted(5), wanted.begin() + 102);
  std::ranges::copy(viewed, wanted.begin() + 110);
  std::ranges::copy(parted, wanted.begin() + 3600);
  std::ranges::copy(counted(8), wanted.begin() + 6100);

  for (const std::uint64_t memory : {1, 1000, 1 << 20}) {
    CAPTURE(memory);
    std::uint64_t told = 0;
    const PayloadOptions options{
        .memory = memory, .with_crcs = true, .on_written = [&](std::uint64_t bytes) { told += bytes; }};
    std::vector<std::uint32_t> crcs;
    CHECK(written({{100, first}, {6100, second}}, options, crcs) == wanted);
    CHECK(crcs == std::vector<std::uint32_t>{crc32_of(Bytes(wanted).subspan(100, 6000)),
                                             crc32_of(Bytes(wanted).subspan(6100))});
    CHECK(told == 5 + 3000 + 2000 + 8);
  }
}

TEST_CASE("an error of a source ends the writing") {
  class Broken : public TensorSource {
    void read(std::span<std::byte>) const override { throw malformed("broken"); }
  };
  const Payload payload = Payload::of({DType::u8, {5}, std::make_shared<Broken>(), {}});
  std::vector<std::uint32_t> crcs;
  CHECK_THROWS_WITH_AS(written({{0, payload}}, {}, crcs), "broken", Error);
}

TEST_CASE("the parts of a rearrangement together are the whole") {
  const AxisSizes sizes{{"o", 70}, {"c", 30}, {"h", 3}, {"w", 5}};
  const std::vector<std::pair<std::string, std::string>> patterns{
      {"o c h w", "h w c o"}, {"o (c h w)", "(h w c) o"}, {"o c h w", "o h w c"}, {"o c h w", "(c o) 1 h w"}};
  const auto source = counted(70 * 30 * 3 * 5 * 4);
  for (const auto& [from, to] : patterns) {
    CAPTURE(from);
    CAPTURE(to);
    const StridedLoop loop = fused(arrange(parse_pattern(from), parse_pattern(to), sizes).at(0));
    std::vector<std::byte> wanted(source.size());
    copy_elements({loop}, 4, source, wanted);
    for (const std::uint64_t most : {100, 10'000, 50'000, 10'000'000}) {
      CAPTURE(most);
      std::vector<std::byte> whole(source.size());
      for (const TensorPart& part : cut(loop, 4, most)) {
        if (most >= 10'000) CHECK(part.size() <= most);
        std::vector<std::byte> made(part.size());
        copy_elements({loop_of(part, loop)}, 4, source, made);
        for (std::uint64_t k = 0; k < part.count; ++k) {
          std::ranges::copy(Bytes(made).subspan(k * part.run, part.run),
                            whole.begin() + static_cast<std::ptrdiff_t>(part.begin + k * part.stride));
        }
      }
      CHECK(whole == wanted);
    }
  }
}

TEST_CASE("a large transposition is cut so that runs are long on both sides") {
  // 512 MiB of floats behind a flattening. A part stays in the caches, goes to few places in the file, and
  // reads whole cache lines.
  const AxisSizes sizes{{"o", 4096}, {"c", 512}, {"h", 8}, {"w", 8}};
  const StridedLoop loop =
      fused(arrange(parse_pattern("o (c h w)"), parse_pattern("(h w c) o"), sizes).at(0));
  for (const TensorPart& part : cut(loop, 4, std::uint64_t{16} << 20)) {
    CHECK(part.size() <= std::uint64_t{2} << 20);
    CHECK(part.run >= std::uint64_t{16} << 10);
    const StridedLoop small = loop_of(part, loop);
    CHECK(small.sizes.at(part.level) * loop.source_strides.at(part.level) * 4 >= 256);
  }
}
