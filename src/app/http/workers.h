// Threads for scoring that would hold a reactor up, behind a queue of a stated length.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace dropscore::http {

/// Thread-safe.
class Workers {
 public:
  explicit Workers(unsigned threads);
  ~Workers() { finish(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `work` must not throw.
  void run(std::function<void()> work);
  /// Does what was queued, and returns once every thread has ended. No more may be queued. Not thread-safe.
  void finish();
  /// That wait for a thread now.
  std::size_t waiting() const;

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dropscore::http
