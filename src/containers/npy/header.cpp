#include "containers/npy/header.h"

#include <array>
#include <charconv>
#include <string>

namespace tieout::npy {

namespace {

struct Type {
  std::string_view descr;
  DType dtype;
};

constexpr std::array types{Type{"|b1", DType::boolean}, Type{"|u1", DType::u8},   Type{"|i1", DType::i8},
                           Type{"<u2", DType::u16},     Type{"<i2", DType::i16},  Type{"<u4", DType::u32},
                           Type{"<i4", DType::i32},     Type{"<u8", DType::u64},  Type{"<i8", DType::i64},
                           Type{"<f2", DType::f16},     Type{"<f4", DType::f32},  Type{"<f8", DType::f64},
                           Type{"<c8", DType::c64},     Type{"<c16", DType::c128}};

class Parser {
 public:
  Parser(std::string_view text, const Where& where) : text_(text), where_(where) {}

  Header parse() {
    Header header;
    int seen = 0;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        header.dtype = type(quoted());
        seen |= 1;
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
        seen |= 2;
      } else if (key == "shape") {
        header.shape = tuple();
        seen |= 4;
      } else {
        throw wrong("the key '" + std::string(key) + "' is unknown");
      }
      if (accept('}')) break;
      expect(',');
    }
    skip_blanks();
    if (at_ != text_.size() || seen != 7)
      throw wrong("descr, fortran_order and shape are needed, and nothing else");
    return header;
  }

 private:
  [[nodiscard]] Error wrong(const std::string& message) const {
    return malformed("the .npy header is damaged: " + message, where_);
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) throw wrong(std::string("expected '") + c + "' at character " + std::to_string(at_));
  }

  std::string_view quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"')
      throw wrong("expected text in quotes at character " + std::to_string(at_));
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) throw wrong("a quote does not end");
    const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inner;
  }

  bool truth() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    }
    throw wrong("fortran_order is neither True nor False");
  }

  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) throw wrong("the shape holds something else than sizes");
      at_ = static_cast<std::size_t>(end - text_.data());
      shape.push_back(size);
      if (accept(')')) break;
      expect(',');
    }
    return shape;
  }

  [[nodiscard]] DType type(std::string_view descr) const {
    for (const auto& known : types) {
      if (known.descr == descr) return known.dtype;
    }
    throw unsupported("elements of NumPy's type '" + std::string(descr) + "' are not read", where_,
                      "save the array as little-endian float32 or float64");
  }

  std::string_view text_;
  const Where& where_;
  std::size_t at_ = 0;
};

}  // namespace

Header parse_header(std::string_view text, const Where& where) {
  return Parser(text, where).parse();
}

std::string_view descr(DType dtype) {
  for (const auto& type : types) {
    if (type.dtype == dtype) return type.descr;
  }
  throw unsupported("NumPy has no type " + std::string(to_string(dtype)), {}, "write .safetensors instead");
}

}  // namespace tieout::npy
