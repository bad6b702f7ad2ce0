#include "base/shared_crc.h"

#include <algorithm>

#include "base/parallel.h"

namespace tieout {

namespace {

// Short, so that the last one is not waited for long; what it costs to join it is nothing beside it.
constexpr std::size_t piece_size = std::size_t{1} << 20;

}  // namespace

SharedCrc::SharedCrc(CrcKind kind, Bytes bytes)
    : kind_(kind),
      bytes_(bytes),
      pieces_((bytes.size() + piece_size - 1) / piece_size),
      done_(pieces_.empty()) {}

std::uint32_t SharedCrc::value() const {
  // Threads that have nothing else to do help; inside a loop those come that need the checksum themselves.
  if (next_.load() < pieces_.size())
    parallel_each(pieces_.size() > 1 ? thread_count() : 1, [this](std::int64_t) { compute_pieces(); });
  done_.wait(false);
  return value_;
}

void SharedCrc::compute_pieces() const {
  while (next_.load() < pieces_.size()) {
    if (const std::size_t piece = next_.fetch_add(1); piece < pieces_.size()) compute(piece);
  }
}

void SharedCrc::compute(std::size_t piece) const {
  const auto bytes_of = [this](std::size_t k) {
    return bytes_.subspan(k * piece_size, std::min(piece_size, bytes_.size() - k * piece_size));
  };
  pieces_[piece] = kind_.of(bytes_of(piece), 0);
  // The last one joins them before anybody can see that none is left.
  if (finished_.fetch_add(1) + 1 == pieces_.size()) {
    for (std::size_t k = 0; k < pieces_.size(); ++k)
      value_ = kind_.joined(value_, pieces_[k], bytes_of(k).size());
    done_.store(true);
    done_.notify_all();
  }
}

}  // namespace tieout
