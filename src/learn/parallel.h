// Independent pieces of work on a few threads. Private to the room.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dropscore::learn {

/// Calls work(0) ... work(count - 1), each once, on up to `threads` threads, and returns when all are done. What the
/// calls compute must not depend on their order. The first exception is thrown on.
template <class Work>
void for_each_index(std::size_t count, unsigned threads, Work work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto run = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (thrown == nullptr) thrown = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) helpers.emplace_back(run);
    run();
  }
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

}  // namespace dropscore::learn
