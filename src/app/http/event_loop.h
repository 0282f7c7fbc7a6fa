// One thread's epoll: sockets that have something to say, work that other threads pass on, and a tick.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/files.h"

namespace dropscore::http {

using Clock = std::chrono::steady_clock;

/// Runs on one thread; post() and stop() may be called by any.
class EventLoop {
 public:
  class Watcher {
   public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    /// `events` of epoll. May end this watcher, no other.
    virtual void on_events(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };

  /// `on_tick` runs on the loop's thread, every `period` or a little later, and must not end a watcher.
  EventLoop(std::chrono::milliseconds period, std::function<void(Clock::time_point)> on_tick);

  /// Until stop(); what was posted before is then still run.
  void run();
  void stop();
  /// Runs `work` on the loop's thread, in the order of the calls.
  void post(std::function<void()> work);

  // On the loop's thread.

  /// Tells `watcher` of each change of the socket (edge-triggered), until the socket is closed. False where the system
  /// refuses.
  bool watch(int socket, Watcher& watcher);
  /// Once the sockets that are ready now have had their turn.
  void resume_later(std::coroutine_handle<> waiting) { turn_.push_back(waiting); }

 private:
  void wait();
  void run_posted();
  void run_turn();

  FileDescriptor epoll_;
  FileDescriptor wake_event_;
  std::chrono::milliseconds period_;
  std::function<void(Clock::time_point)> on_tick_;
  Clock::time_point next_tick_;
  std::vector<std::coroutine_handle<>> turn_;
  std::vector<std::coroutine_handle<>> running_turn_;  // keeps its memory
  std::vector<std::function<void()>> running_posted_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool stopping_ = false;
};

}  // namespace dropscore::http
