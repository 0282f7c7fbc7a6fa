// The clock of a sweep: runs it at once and then again and again, on a thread of its own, and tells of its faults.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "event/inbox.h"

namespace dropscore::event {

/// Tells of a fault that comes back with every look. Used by one thread at a time.
class FaultLog {
 public:
  using Clock = std::chrono::steady_clock;
  /// Another text may differ by a request's id alone: within this time it counts as the same fault.
  static constexpr std::chrono::minutes quiet_time{1};

  explicit FaultLog(std::string_view event) : event_(event) {}
  /// Logs the error that ends a time without faults, and one with a new text a minute after the last that was logged.
  /// True where it did.
  bool note(const Status& status, Clock::time_point now = Clock::now());

 private:
  std::string_view event_;
  std::string text_;
  std::optional<Clock::time_point> told_at_;  ///< empty while all is well
};

/// Thread-safe.
class Sweeper {
 public:
  using Clock = std::chrono::steady_clock;
  /// One sweep, which began at `start`. A long one asks stopping() now and then.
  using Sweep = std::function<Status(Clock::time_point start)>;

  Sweeper(std::chrono::milliseconds interval, Sweep sweep) : interval_(interval), sweep_(std::move(sweep)) {}
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;
  /// Stops, and waits for the sweep under way.
  ~Sweeper();

  /// Begins. Once.
  void start();
  /// Does not wait for the pause to end.
  void sweep_soon();
  /// Returns at once; the sweep under way may go on for a moment.
  void stop();
  bool stopping() const { return stopping_; }
  SweepState state() const;

  /// How long to wait after a sweep that took so long: `interval`, and more where a sweep would take more than one part
  /// in twenty of the time.
  static Clock::duration pause_after(Clock::duration took, std::chrono::milliseconds interval);

 private:
  void run();

  const std::chrono::milliseconds interval_;
  const Sweep sweep_;
  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  bool now_ = false;                                   // under mutex_
  SweepState state_{Clock::now(), Clock::duration{}};  // likewise
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// For the options of an inbox that sweeps. Errors: `misuse` (not within 1 ms to a day).
Status validate_sweep_interval(std::chrono::milliseconds interval);

}  // namespace dropscore::event
