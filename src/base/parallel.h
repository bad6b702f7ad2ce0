// Loops over several threads.
#pragma once

#include <cstdint>
#include <functional>

namespace tieout {

// Threads that a loop may use: as many as the processors that this process may run on, at most 16.
std::int64_t thread_count();

// Calls work(first, last) for parts of [0, count) that together are the whole, from several threads at once;
// no part is shorter than `grain` but the last. Returns when all are done. The first exception that is thrown
// is thrown on, and parts that were not begun are left out. Inside another loop, and while another thread has
// one, it runs in this thread alone.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t first, std::int64_t last)>& work);

// Calls work(k) for each k of [0, count), in that order as far as several threads can: for work whose parts
// are worth a thread each, and unequal.
void parallel_each(std::int64_t count, const std::function<void(std::int64_t k)>& work);

}  // namespace tieout
