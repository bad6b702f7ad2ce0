#include "tensor/rearrange.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tieout/error.h"

using namespace tieout;

namespace {

constexpr std::size_t guard = 64;
constexpr std::byte untouched{0xA5};

// Bytes that differ from their neighbours, in memory that ends with them: a sanitizer sees whoever reads on.
struct Source {
  Source(std::size_t size, std::size_t misaligned) : memory(misaligned + size), begin(misaligned) {
    std::mt19937 random(static_cast<unsigned>(size));
    std::ranges::generate(memory, [&] { return static_cast<std::byte>(random()); });
  }
  [[nodiscard]] Bytes bytes() const { return Bytes(memory).subspan(begin); }
  std::vector<std::byte> memory;
  std::size_t begin;
};

// What the loops mean, element by element.
std::vector<std::byte> moved(const std::vector<StridedLoop>& loops, std::size_t element, Bytes source,
                             std::size_t target_size) {
  std::vector<std::byte> target(target_size, untouched);
  for (const auto& loop : loops) {
    const std::function<void(std::size_t, std::int64_t, std::int64_t)> move =
        [&](std::size_t level, std::int64_t from, std::int64_t into) {
          if (level == loop.sizes.size()) {
            std::memcpy(target.data() + static_cast<std::size_t>(into) * element,
                        source.data() + static_cast<std::size_t>(from) * element, element);
            return;
          }
          for (std::int64_t i = 0; i < loop.sizes[level]; ++i) {
            move(level + 1, from + i * loop.source_strides[level], into + i * loop.target_strides[level]);
          }
        };
    move(0, loop.source_offset, loop.target_offset);
  }
  return target;
}

// `Run` is what the test calls: a rearrangement, or a part of one.
using Run = std::function<void(Bytes source, std::span<std::byte> target)>;

// Whether `run` fills the target as expected and leaves alone what lies around it.
bool fills(const Run& run, Bytes source, Bytes expected, std::size_t misaligned) {
  std::vector<std::byte> memory(guard + misaligned + expected.size() + guard, untouched);
  const auto target = std::span(memory).subspan(guard + misaligned, expected.size());
  run(source, target);
  const auto is_untouched = [](std::byte byte) { return byte == untouched; };
  return std::ranges::equal(target, expected) &&
         std::ranges::all_of(std::span(memory).first(guard + misaligned), is_untouched) &&
         std::ranges::all_of(std::span(memory).last(guard), is_untouched);
}

struct Case {
  std::string from;
  std::string to;
  AxisSizes sizes;
};

std::size_t elements(const std::string& pattern, const AxisSizes& sizes) {
  return element_count(pattern_shape(parse_pattern(pattern), sizes));
}

std::vector<StridedLoop> loops_of(const Case& one) {
  return arrange(parse_pattern(one.from), parse_pattern(one.to), one.sizes);
}

Run whole(const Rearrangement& rearrangement) {
  return [rearrangement](Bytes source, std::span<std::byte> target) { rearrangement.run(source, target); };
}

Run part(const Rearrangement& rearrangement, std::int64_t first, std::int64_t last) {
  return [rearrangement, first, last](Bytes source, std::span<std::byte> target) {
    rearrangement.run_part(source, first, last, target);
  };
}

Bytes elements_of(const std::vector<std::byte>& bytes, std::size_t element, std::int64_t first,
                  std::int64_t last) {
  return Bytes(bytes).subspan(static_cast<std::size_t>(first) * element,
                              static_cast<std::size_t>(last - first) * element);
}

// The whole target and a few parts of it, for elements of every size, from and to any address.
void check(const Case& one, const std::vector<std::size_t>& element_sizes = {1, 2, 4, 8, 16}) {
  CAPTURE(one.from);
  CAPTURE(one.to);
  CAPTURE(one.sizes);
  const auto loops = loops_of(one);
  const auto count = static_cast<std::int64_t>(elements(one.to, one.sizes));
  for (const std::size_t element : element_sizes) {
    CAPTURE(element);
    const Rearrangement rearrangement(loops, element);
    for (const std::size_t misaligned : {0, 1, 13}) {
      const Source source(elements(one.from, one.sizes) * element, misaligned);
      const auto expected = moved(loops, element, source.bytes(), static_cast<std::size_t>(count) * element);
      CHECK(fills(whole(rearrangement), source.bytes(), expected, misaligned));
      const std::vector<std::pair<std::int64_t, std::int64_t>> parts{
          {0, count / 2}, {count / 2, count}, {count / 3, count - count / 4}, {count / 5, count / 5 + 1}};
      for (const auto& [first, last] : parts) {
        CAPTURE(first);
        CAPTURE(last);
        CHECK(fills(part(rearrangement, first, last), source.bytes(),
                    elements_of(expected, element, first, last), misaligned));
      }
    }
  }
}

}  // namespace

TEST_CASE("convolution kernels and matrices go where their patterns say") {
  for (const auto& [o, i, h, w] : std::vector<std::array<std::int64_t, 4>>{{64, 3, 7, 7},
                                                                           {40, 24, 3, 3},
                                                                           {33, 65, 1, 1},
                                                                           {5, 3, 3, 1},
                                                                           {1, 70, 5, 5},
                                                                           {300, 17, 2, 2},
                                                                           {130, 1, 3, 3}}) {
    const AxisSizes sizes{{"o", o}, {"i", i}, {"h", h}, {"w", w}};
    check({"o i h w", "h w i o", sizes});
    check({"h w i o", "o i h w", sizes});
    check({"o i h w", "o h w i", sizes});
    check({"o i h w", "i o h w", sizes});
    check({"o (i h w)", "(h w i) o", sizes});
    check({"(h w i) o", "o (i h w)", sizes});
  }
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {1, 300}, {300, 1}, {3, 400}, {400, 3}, {16, 16}, {31, 33}, {257, 129}, {130, 520}}) {
    check({"o i", "i o", {{"o", rows}, {"i", columns}}});
  }
}

TEST_CASE("a convolution's kernel, a flattened image and gates, by their indices") {
  constexpr std::size_t O = 9, I = 10, H = 3, W = 2;
  const AxisSizes sizes{{"o", O}, {"i", I}, {"h", H}, {"w", W}};
  const Source source(O * I * H * W * 2, 1);
  std::vector<std::byte> kernel(source.bytes().size());
  std::vector<std::byte> flat(source.bytes().size());
  std::vector<std::byte> gates(source.bytes().size());
  for (std::size_t o = 0; o < O; ++o) {
    for (std::size_t i = 0; i < I; ++i) {
      for (std::size_t h = 0; h < H; ++h) {
        for (std::size_t w = 0; w < W; ++w) {
          const auto* element = source.bytes().data() + 2 * (((o * I + i) * H + h) * W + w);
          std::memcpy(kernel.data() + 2 * (((h * W + w) * I + i) * O + o), element, 2);
          std::memcpy(flat.data() + 2 * (o * I * H * W + (h * W + w) * I + i), element, 2);
          constexpr std::array<std::size_t, H> place{1, 0, 2};  // r z n in z r n
          std::memcpy(gates.data() + 2 * (((o * W + w) * H + place[h]) * I + i), element, 2);
        }
      }
    }
  }
  const auto run = [&](const std::string& from, const std::string& to) {
    return whole(Rearrangement(loops_of({from, to, sizes}), 2));
  };
  CHECK(fills(run("o i h w", "h w i o"), source.bytes(), kernel, 5));
  CHECK(fills(run("o (i h w)", "o (h w i)"), source.bytes(), flat, 5));
  CHECK(fills(run("o i g{r z n} w", "o w (g{z r n} i)"), source.bytes(), gates, 5));
}

TEST_CASE("every order of the axes, with odd sizes and sizes of 1") {
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
           {5, 7, 3, 11}, {1, 9, 1, 20}, {2, 2, 2, 2}, {17, 1, 19, 4}, {3, 40, 5, 1}}) {
    std::vector<std::string> names{"a", "b", "c", "d"};
    AxisSizes sizes;
    for (std::size_t k = 0; k < 4; ++k) sizes[names[k]] = shape[k];
    do {
      check({"a b c d", names[0] + " " + names[1] + " " + names[2] + " " + names[3], sizes}, {1, 4, 8});
    } while (std::ranges::next_permutation(names).found);
  }
}

TEST_CASE("up to eight axes in any order") {
  std::mt19937 random(8);
  const auto below = [&](std::size_t n) { return static_cast<std::int64_t>(random() % n); };
  for (int turn = 0; turn < 60; ++turn) {
    std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
    names.resize(static_cast<std::size_t>(1 + below(8)));
    Case one;
    for (const auto& name : names) {
      one.from += " " + name;
      one.sizes[name] = 1 + below(names.size() > 5 ? 4 : 11);
    }
    std::ranges::shuffle(names, random);
    for (const auto& name : names) one.to += " " + name;
    check(one, {std::size_t{1} << below(5)});
  }
}

TEST_CASE("named blocks are permuted, picked and left alone") {
  const AxisSizes sizes{{"u", 37}, {"i", 29}, {"h", 3}, {"d", 5}, {"e", 64}};
  check({"(g{i f g o} u) i", "i (g{i f g o} u)", sizes});
  check({"(g{r z n} u) i", "i (g{z r n} u)", sizes});
  check({"(g{r z n} u)", "(g{z r n} u)", sizes});
  check({"(p{q of q k v} h d) e", "e h d", sizes});
  check({"e h d", "(p{k of q k v} h d) e", sizes});
  check({"i p{v of q k v}", "i", sizes});
  check({"u i p{k of q k v}", "i u", sizes});
  check({"u i", "i u p{k of q k v}", sizes});
}

TEST_CASE("every part of a target") {
  const Case one{"a (g{x y z} b) c", "c a (g{z x y} b)", {{"a", 3}, {"b", 2}, {"c", 4}}};
  const auto loops = loops_of(one);
  const Rearrangement rearrangement(loops, 4);
  const Source source(std::size_t{72} * 4, 0);
  const auto expected = moved(loops, 4, source.bytes(), std::size_t{72} * 4);
  for (std::int64_t first = 0; first <= 72; ++first) {
    for (std::int64_t last = first; last <= 72; ++last) {
      CHECK(
          fills(part(rearrangement, first, last), source.bytes(), elements_of(expected, 4, first, last), 0));
    }
  }
}

TEST_CASE("targets that are written past the caches") {
  check({"a b", "b a", {{"a", 1541}, {"b", 1543}}}, {4});
  check({"a b c", "b a c", {{"a", 1024}, {"b", 9}, {"c", 300}}}, {4});
  check({"a b", "a b", {{"a", 5}, {"b", 2'000'003}}}, {1});
}

TEST_CASE("one element fills a block") {
  const StridedLoop loop{{30, 50}, {0, 0}, {100, 1}, 0, 7};
  const Source source(8, 1);
  const auto expected = moved({loop}, 8, source.bytes(), std::size_t{8} * 3000);
  CHECK(fills(whole(Rearrangement({loop}, 8)), source.bytes(), expected, 3));
}

TEST_CASE("a tensor without elements, and one without axes") {
  const Rearrangement nothing(loops_of({"a b", "b a", {{"a", 0}, {"b", 5}}}), 4);
  CHECK(fills(whole(nothing), {}, {}, 0));
  check({"", "", {}});
  check({"1", "1 1", {}});
}

TEST_CASE("a loop that leaves its tensor is refused before anything is written") {
  const Rearrangement rearrangement(loops_of({"a b", "b a", {{"a", 3}, {"b", 5}}}), 4);
  const Source source(60, 0);
  std::vector<std::byte> target(60, untouched);
  const auto refuses = [&](const Run& run, std::size_t source_size, std::size_t target_size) {
    CHECK_THROWS_AS(run(source.bytes().first(source_size), std::span(target).first(target_size)), Error);
    CHECK(std::ranges::count(target, untouched) == 60);
  };
  refuses(whole(rearrangement), 59, 60);
  refuses(whole(rearrangement), 60, 59);
  refuses(part(rearrangement, 0, 4), 56, 16);
  refuses(part(rearrangement, 2, 6), 60, 15);
  refuses(part(rearrangement, 6, 2), 60, 16);
  refuses(part(rearrangement, -1, 3), 60, 16);
}
