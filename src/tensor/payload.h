// Long runs of bytes that are made of tensors, on their way into a file.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/output_file.h"
#include "tensor/lazy_tensor.h"

namespace tieout {

// What a run of bytes holds: pieces and tensors at their offsets, which do not overlap; zeros between them.
struct Payload {
  struct Piece {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };
  struct Placed {
    std::uint64_t offset = 0;
    LazyTensor tensor;
  };

  std::uint64_t size = 0;
  std::vector<Piece> pieces;
  std::vector<Placed> tensors;

  // The tensor's elements alone.
  static Payload of(const LazyTensor& tensor);
};

struct PayloadOptions {
  // Bytes of buffers at most, of all threads together; a tensor that can only be read whole takes its own
  // size.
  std::uint64_t memory = std::uint64_t{256} << 20;
  bool with_crcs = false;
  // Called from any thread, one at a time, with the bytes written since the last call. Null: nobody asks.
  std::function<void(std::uint64_t)> on_written;
};

struct PlacedPayload {
  std::uint64_t offset = 0;  // in the file
  Payload payload;
};

// Writes all payloads at their places, on several threads: tensors that lie in memory as they are, others in
// parts that are arranged in buffers. The payloads' CRC-32, in order, when asked for. Error(io) when a write
// fails; the first error of any source otherwise.
std::vector<std::uint32_t> write_payloads(const OutputFile& out, const std::vector<PlacedPayload>& payloads,
                                          const PayloadOptions& options);

// Writes a payload behind what `out` holds.
void write_whole(OutputFile& out, Payload payload, const PayloadOptions& options);

}  // namespace tieout
