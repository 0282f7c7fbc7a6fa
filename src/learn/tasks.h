// A handful of independent tasks over a few threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace dropscore::learn {

/// Calls work(task) once for each task in [0, tasks), begun in that order, on `threads` threads (the caller's is one of
/// them), and returns when all are done. Which thread takes which task is chance: for equal answers whatever `threads`
/// is, a task's result may depend on the task alone. REQUIRES: `work` does not throw and may run concurrently.
template <class Work>
void run_tasks(std::size_t tasks, unsigned threads, Work&& work) {
  std::atomic<std::size_t> next = 0;
  const auto take_tasks = [&] {
    for (std::size_t task = next.fetch_add(1); task < tasks; task = next.fetch_add(1)) work(task);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t helper = 1; helper < threads && helper < tasks; ++helper) helpers.emplace_back(take_tasks);
  take_tasks();
}

}  // namespace dropscore::learn
