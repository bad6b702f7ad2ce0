#include "tensor/payload.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/crc32.h"
#include "base/parallel.h"
#include "tieout/error.h"

namespace tieout {

namespace {

// A tensor that lies in memory as it is is written in pieces of this size.
constexpr std::uint64_t view_piece = std::uint64_t{1} << 20;
// So much is worth waking other threads up for.
constexpr std::uint64_t shared_out = std::uint64_t{8} << 20;
// For each thread: while it fills one part, so many may wait to be written. They keep the file growing while
// a tensor's checksum is compared, which gives no parts.
constexpr std::uint64_t parts_waiting = 3;
// The rest is for what the sources themselves need.
constexpr std::uint64_t parts_in_memory = 1 + parts_waiting + 2;

// One piece of work: a part of a tensor, or of its view.
struct Work {
  std::size_t payload;
  std::uint64_t offset;  // of the tensor in its payload
  const LazyTensor* tensor;
  bool viewed;
  TensorPart part;
};

struct Checked {
  std::uint64_t offset;  // in the payload
  std::uint64_t length;
  std::uint32_t crc;
};

void add_views(Work work, std::uint64_t size, std::vector<Work>& works) {
  work.viewed = true;
  for (std::uint64_t begin = 0; begin < size; begin += view_piece) {
    work.part = {.begin = begin, .run = std::min(view_piece, size - begin)};
    works.push_back(work);
  }
}

std::vector<Work> works_of(const std::vector<PlacedPayload>& payloads, std::uint64_t most) {
  std::vector<Work> works;
  for (std::size_t p = 0; p < payloads.size(); ++p) {
    for (const Payload::Placed& placed : payloads[p].payload.tensors) {
      const std::uint64_t size = byte_count(placed.tensor.shape, placed.tensor.dtype);
      if (size == 0) continue;
      Work work{p, placed.offset, &placed.tensor, false, {}};
      if (placed.tensor.source->viewed() == size) {
        add_views(work, size, works);
        continue;
      }
      for (const TensorPart& part : placed.tensor.source->parts(size, most)) {
        work.part = part;
        works.push_back(work);
      }
    }
  }
  return works;
}

// The checksum of `length` zeros.
std::uint32_t zeros_crc(std::uint64_t length) {
  static constexpr std::array<std::byte, 4096> zeros{};
  std::uint32_t crc = 0;
  for (; length > 0; length -= std::min<std::uint64_t>(length, zeros.size()))
    crc = crc32_of(Bytes(zeros).first(std::min<std::uint64_t>(length, zeros.size())), crc);
  return crc;
}

std::uint32_t joined_crc(std::vector<Checked> runs, std::uint64_t size) {
  std::ranges::sort(runs, {}, &Checked::offset);
  std::uint32_t crc = 0;
  std::uint64_t at = 0;
  const auto add = [&](std::uint64_t length, std::uint32_t next) {
    crc = crc32_joined(crc, next, length);
    at += length;
  };
  for (const Checked& run : runs) {
    if (run.offset < at) throw internal_error("two parts of a payload overlap");
    if (run.offset > at) add(run.offset - at, zeros_crc(run.offset - at));
    add(run.length, run.crc);
  }
  if (size < at) throw internal_error("a payload is longer than it says");
  if (size > at) add(size - at, zeros_crc(size - at));
  return crc;
}

// Bytes that are ready for their places in the file: a piece of a tensor's view, or runs in a buffer.
struct Ready {
  const Work* work = nullptr;
  std::vector<std::byte> buffer;  // empty for a view
};

// Writes to one file come one after another, whoever asks: the kernel has a lock on it. So a thread that has
// filled a buffer while another writes leaves it to that one, and goes on with the next part.
class Queue {
 public:
  explicit Queue(std::size_t most_buffers) : most_buffers_(most_buffers) {}

  // Write() is called for this one and for those that come meanwhile, by one thread at a time. Waits while
  // too many buffers are not written yet; views take no memory, and whoever compares the checksums of what
  // comes next need not wait for them.
  template <typename Write>
  void put(Ready ready, const Write& write) {
    std::unique_lock lock(guard_);
    const bool buffered = !ready.buffer.empty();
    room_.wait(lock, [&] { return !buffered || buffers_ < most_buffers_ || failed_; });
    if (failed_) return;  // who failed says why
    if (buffered) ++buffers_;
    waiting_.push_back(std::move(ready));
    if (writing_) return;
    writing_ = true;
    try {
      write_all(lock, write);
    } catch (...) {
      failed_ = true;
      room_.notify_all();
      throw;
    }
    writing_ = false;
  }

  // A buffer that was written already, or a new one.
  std::vector<std::byte> buffer() {
    const std::lock_guard lock(guard_);
    if (free_.empty()) return {};
    std::vector<std::byte> taken = std::move(free_.back());
    free_.pop_back();
    return taken;
  }

 private:
  template <typename Write>
  void write_all(std::unique_lock<std::mutex>& lock, const Write& write) {
    while (!waiting_.empty()) {
      Ready next = std::move(waiting_.front());
      waiting_.pop_front();
      if (!next.buffer.empty()) {
        --buffers_;
        room_.notify_one();
      }
      lock.unlock();
      const auto lock_again = [&] {
        lock.lock();
        if (!next.buffer.empty()) free_.push_back(std::move(next.buffer));
      };
      try {
        write(next);
      } catch (...) {
        lock_again();
        throw;
      }
      lock_again();
    }
  }

  std::mutex guard_;
  std::condition_variable room_;
  std::deque<Ready> waiting_;
  std::vector<std::vector<std::byte>> free_;
  std::size_t most_buffers_;
  std::size_t buffers_ = 0;  // of those that wait
  bool writing_ = false;
  bool failed_ = false;
};

class Writer {
 public:
  Writer(const OutputFile& out, const std::vector<PlacedPayload>& payloads, const PayloadOptions& options)
      : out_(out),
        payloads_(payloads),
        options_(options),
        queue_(parts_waiting * static_cast<std::size_t>(thread_count())),
        runs_(payloads.size()) {}

  void write_pieces() {
    for (std::size_t p = 0; p < payloads_.size(); ++p) {
      for (const Payload::Piece& piece : payloads_[p].payload.pieces) {
        check(p, piece.offset, piece.bytes);
        put(p, piece.offset, piece.bytes);
      }
    }
  }

  void write(const Work& work) {
    Ready ready{&work, {}};
    if (!work.viewed) {
      ready.buffer = queue_.buffer();
      if (ready.buffer.size() < work.part.size()) ready.buffer.resize(work.part.size());
      work.tensor->source->read_part(work.part, std::span(ready.buffer).first(work.part.size()));
    }
    for_each_run(ready,
                 [this](std::size_t p, std::uint64_t offset, Bytes bytes) { check(p, offset, bytes); });
    queue_.put(std::move(ready), [this](const Ready& next) {
      for_each_run(next, [this](std::size_t p, std::uint64_t offset, Bytes bytes) { put(p, offset, bytes); });
    });
  }

  [[nodiscard]] std::vector<std::uint32_t> crcs() const {
    std::vector<std::uint32_t> crcs;
    if (!options_.with_crcs) return crcs;
    for (std::size_t p = 0; p < payloads_.size(); ++p)
      crcs.push_back(joined_crc(runs_[p], payloads_[p].payload.size));
    return crcs;
  }

 private:
  // use(payload, offset in it, bytes)
  template <typename Use>
  static void for_each_run(const Ready& ready, const Use& use) {
    const Work& work = *ready.work;
    const TensorPart& part = work.part;
    if (work.viewed) {
      use(work.payload, work.offset + part.begin, work.tensor->source->view().subspan(part.begin, part.run));
      return;
    }
    const auto filled = std::span(ready.buffer).first(part.size());
    for (std::uint64_t k = 0; k < part.count; ++k)
      use(work.payload, work.offset + part.begin + k * part.stride, filled.subspan(k * part.run, part.run));
  }

  void check(std::size_t payload, std::uint64_t offset, Bytes bytes) {
    if (!options_.with_crcs) return;
    const std::uint32_t crc = crc32_of(bytes);
    const std::lock_guard lock(guard_);
    runs_[payload].push_back({offset, bytes.size(), crc});
  }

  void put(std::size_t payload, std::uint64_t offset, Bytes bytes) {
    out_.write_at(payloads_[payload].offset + offset, bytes);
    if (options_.on_written) options_.on_written(bytes.size());
  }

  const OutputFile& out_;
  const std::vector<PlacedPayload>& payloads_;
  const PayloadOptions& options_;
  Queue queue_;
  std::mutex guard_;
  std::vector<std::vector<Checked>> runs_;  // of each payload
};

}  // namespace

Payload Payload::of(const LazyTensor& tensor) {
  return {byte_count(tensor.shape, tensor.dtype), {}, {{0, tensor}}};
}

std::vector<std::uint32_t> write_payloads(const OutputFile& out, const std::vector<PlacedPayload>& payloads,
                                          const PayloadOptions& options) {
  const std::uint64_t most = options.memory / parts_in_memory / static_cast<std::uint64_t>(thread_count());
  const std::vector<Work> works = works_of(payloads, std::max<std::uint64_t>(most, 1));
  Writer writer(out, payloads, options);
  writer.write_pieces();
  std::uint64_t total = 0;
  for (const Work& work : works) total += work.part.size();
  if (total < shared_out) {
    for (const Work& work : works) writer.write(work);
  } else {
    // In the order of the file, so that it grows from its beginning.
    parallel_each(static_cast<std::int64_t>(works.size()),
                  [&](std::int64_t k) { writer.write(works[static_cast<std::size_t>(k)]); });
  }
  for (const auto& [offset, payload] : payloads) out.reach(offset + payload.size);
  return writer.crcs();
}

void write_whole(OutputFile& out, Payload payload, const PayloadOptions& options) {
  const std::uint64_t offset = out.position();
  out.skip(payload.size);
  write_payloads(out, {{offset, std::move(payload)}}, options);
}

}  // namespace tieout
