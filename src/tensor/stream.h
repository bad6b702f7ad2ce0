// Writing past the caches.
#pragma once

#include <cstddef>

namespace tieout {

// memcpy of `size` bytes whose target will not be read soon: whole cache lines go to memory without being
// fetched first, where the processor has such stores. Other threads see them after stream_end().
void stream(std::byte* target, const std::byte* source, std::size_t size);
void stream_end();

}  // namespace tieout
