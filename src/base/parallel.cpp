#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace tieout {

namespace {

constexpr std::int64_t most_threads = 16;
// Parts for each thread, so that one which is disturbed does not hold up the others.
constexpr std::int64_t parts_for_each = 4;
// The loops of a model follow each other closely: a thread looks this often for the next one before it
// sleeps.
constexpr int looks_before_sleep = 100;

thread_local bool inside_loop = false;

struct Loop {
  std::int64_t count;
  std::int64_t part;
  std::function<void(std::int64_t, std::int64_t)> work;
  std::atomic<std::int64_t> next{0};
  std::mutex guard{};
  std::exception_ptr error{};

  void run() {
    inside_loop = true;
    while (true) {
      const std::int64_t first = next.fetch_add(part);
      if (first >= count) break;
      try {
        work(first, std::min(first + part, count));
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
    inside_loop = false;
  }
};

class Threads {
 public:
  Threads() {
    try {
      for (std::int64_t k = 1; k < thread_count(); ++k) threads_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {
      // The system gives no more threads: the loops run on those there are.
    }
  }

  ~Threads() {
    {
      const std::lock_guard lock(guard_);
      ending_ = true;
      ++turn_;
    }
    begun_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // False when another thread has its loop here.
  bool run(Loop& loop) {
    const std::unique_lock alone(one_loop_, std::try_to_lock);
    if (!alone) return false;
    {
      const std::lock_guard lock(guard_);
      loop_ = &loop;
      ++turn_;
    }
    begun_.notify_all();
    loop.run();
    std::unique_lock lock(guard_);
    loop_ = nullptr;  // who wakes up now is not waited for
    ended_.wait(lock, [this] { return busy_ == 0; });
    return true;
  }

 private:
  void serve() {
    std::uint64_t seen = 0;
    while (true) {
      for (int look = 0; look < looks_before_sleep && turn_ == seen; ++look) std::this_thread::yield();
      std::unique_lock lock(guard_);
      begun_.wait(lock, [&] { return turn_ != seen; });
      seen = turn_;
      if (ending_) return;
      if (loop_ == nullptr) continue;
      Loop& loop = *loop_;
      ++busy_;
      lock.unlock();
      loop.run();
      lock.lock();
      if (--busy_ == 0) ended_.notify_one();
    }
  }

  std::mutex one_loop_;
  std::mutex guard_;  // of all below
  std::condition_variable begun_;
  std::condition_variable ended_;
  std::atomic<std::uint64_t> turn_{0};  // also looked at without the guard
  Loop* loop_ = nullptr;
  int busy_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

void run(Loop& loop) {
  if (inside_loop || loop.part >= loop.count || thread_count() == 1) {
    loop.work(0, loop.count);
    return;
  }
  static Threads threads;
  if (!threads.run(loop)) {
    loop.work(0, loop.count);
    return;
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace

std::int64_t thread_count() {
  static const std::int64_t count =
      std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, most_threads);
  return count;
}

void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
  const std::int64_t parts = thread_count() * parts_for_each;
  Loop loop{count, std::max({grain, (count + parts - 1) / parts, std::int64_t{1}}), work};
  run(loop);
}

void parallel_each(std::int64_t count, const std::function<void(std::int64_t)>& work) {
  if (count <= 0) return;
  Loop loop{count, 1, [&work](std::int64_t first, std::int64_t last) {
              for (std::int64_t k = first; k < last; ++k) work(k);
            }};
  run(loop);
}

}  // namespace tieout
