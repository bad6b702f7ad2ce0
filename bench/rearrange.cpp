// One rearrangement, beside memcpy of the same bytes by the same threads. bench/rearrange.py runs it.
//
//   rearrange FROM TO AXIS=SIZE,... ELEMENT_BYTES TOTAL_MIB
//
// Tensors of TOTAL_MIB together, so that none is in a cache when its turn comes. Then, for each line of
// standard input, one round: the seconds that all tensors took, by memcpy and rearranged, on one line.
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "tensor/pattern.h"
#include "tensor/rearrange.h"

namespace {

using namespace tieout;

AxisSizes parse_sizes(const std::string& text) {
  AxisSizes sizes;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const std::size_t equals = item.find('=');
    sizes[item.substr(0, equals)] = std::stoll(item.substr(equals + 1));
  }
  return sizes;
}

void copy(Bytes source, std::span<std::byte> target) {
  const auto size = static_cast<std::int64_t>(source.size());
  const std::int64_t share = (size + thread_count() - 1) / thread_count();
  parallel_for(thread_count(), 1, [&](std::int64_t first, std::int64_t last) {
    const auto from = static_cast<std::size_t>(std::min(first * share, size));
    const auto to = static_cast<std::size_t>(std::min(last * share, size));
    std::memcpy(target.data() + from, source.data() + from, to - from);
  });
}

// Memory of large pages where the system gives them, as numpy takes it.
class Memory {
 public:
  explicit Memory(std::size_t size)
      : bytes_(static_cast<std::byte*>(std::aligned_alloc(page, whole(size))), size) {
    if (bytes_.data() == nullptr) throw std::bad_alloc();
    ::madvise(bytes_.data(), whole(size), MADV_HUGEPAGE);
    std::memset(bytes_.data(), 1, size);
  }
  ~Memory() { std::free(bytes_.data()); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  [[nodiscard]] std::span<std::byte> part(std::size_t from, std::size_t size) const {
    return bytes_.subspan(from, size);
  }

 private:
  static constexpr std::size_t page = std::size_t{2} << 20;
  static std::size_t whole(std::size_t size) { return (size + page - 1) / page * page; }
  std::span<std::byte> bytes_;
};

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run(const std::vector<std::string>& arguments) {
  const Pattern from = parse_pattern(arguments.at(0));
  const Pattern to = parse_pattern(arguments.at(1));
  const AxisSizes sizes = parse_sizes(arguments.at(2));
  const std::size_t element = std::stoull(arguments.at(3));
  const std::size_t bytes = element_count(pattern_shape(from, sizes)) * element;
  const std::size_t tensors = std::max<std::size_t>((std::stoull(arguments.at(4)) << 20) / bytes, 1);
  const Rearrangement rearrangement(arrange(from, to, sizes), element);
  const Memory source(tensors * bytes);
  const Memory target(tensors * bytes);
  const auto for_each = [&](const auto& work) {
    for (std::size_t k = 0; k < tensors; ++k) {
      work(source.part(k * bytes, bytes), target.part(k * bytes, bytes));
    }
  };
  for (std::string line; std::getline(std::cin, line);) {
    const double copied = seconds([&] { for_each(copy); });
    const double rearranged = seconds(
        [&] { for_each([&](Bytes one, std::span<std::byte> into) { rearrangement.run(one, into); }); });
    std::cout << copied << ' ' << rearranged << std::endl;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::cerr << "rearrange FROM TO AXIS=SIZE,... ELEMENT_BYTES TOTAL_MIB\n";
    return 2;
  }
  try {
    run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
