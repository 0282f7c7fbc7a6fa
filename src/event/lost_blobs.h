// Which of the blobs without a result a sweep takes for lost by the queue: those that no message can be about any more,
// and those that have waited so long that it does not matter. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace dropscore::event {

class LostBlobs {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most_at_once = 1000;

  explicit LostBlobs(std::chrono::milliseconds patience) : patience_(patience) {}

  /// A worker of this inbox is done with this version, result or not: it is not lost.
  void done(const std::string& blob, const std::string& etag);

  /// Whatever was done may be found again.
  void forget_done();

  /// The latest sweep has found something: only then does the next one need to know whether the queue is empty.
  bool any_pending() const;

  // One sweep at a time: begin(), found() for each blob without a result, and end() where it was complete.
  void begin(Clock::time_point now);
  void found(const store::BlobInfo& blob);
  /// Forgets what this sweep did not find.
  void end();

  /// After end(), at most most_at_once: those that two sweeps or more have found, where the queue was empty before the
  /// second began (a message that ends meanwhile leaves a result, which that sweep may have missed); those that were
  /// found for as long as the patience, whatever it holds. None that were told() of within the patience.
  std::vector<store::BlobInfo> lost(bool queue_was_empty) const;
  /// There is a new message about it.
  void told(const std::string& blob);

 private:
  struct Pending {
    store::BlobInfo info;
    Clock::time_point since;       ///< of the sweep that found this version first
    Clock::time_point last_found;  ///< of the latest sweep that found it
    std::optional<Clock::time_point> told_at;
  };
  struct Done {
    std::string etag;
    Clock::time_point at;
    bool found = false;  ///< by the present sweep: to be remembered
  };

  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  Clock::time_point now_{};
  std::unordered_map<std::string, Pending> pending_;
  std::unordered_map<std::string, Done> done_;
};

}  // namespace dropscore::event
