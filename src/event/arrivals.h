// The waiting line behind an inbox: which blobs have arrived, which are being worked on, which wait for another try,
// and which versions are done with. Knows nothing of where arrivals come from. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "event/inbox.h"

namespace dropscore::event {

class Arrivals {
 public:
  using Clock = std::chrono::steady_clock;

  /// An event: the blob is new or has new content. Waiting in line already, it stays where it is; waiting for another
  /// try, it goes in line now, as a first attempt; being worked on, it is handed out again once that ends.
  /// `trace` is that of whoever tells; without one, each arrival begins its own.
  void arrived(const std::string& blob, const telemetry::TraceContext& trace = {});

  /// A sweep that began at `sweep_start` found version `etag` without a result. Put in line unless the blob is known
  /// here, was acknowledged after the sweep began, or was acknowledged as this very version: what a worker is done with
  /// although no result came of it must not come round for ever. True where it was put in line.
  bool found(const std::string& blob, const std::string& etag, Clock::time_point sweep_start);

  /// What was acknowledged may be found again by sweeps that begin later, whatever version it is.
  void forget_done();

  /// True where found() would refuse every version, so that a sweep can spare itself the question.
  bool is_known(const std::string& blob) const;

  /// A complete sweep that began at `sweep_start` saw these blobs: what is remembered of others is forgotten.
  void forget_others(const std::unordered_set<std::string>& seen, Clock::time_point sweep_start);

  // As in Inbox.
  std::optional<Envelope> take(std::chrono::milliseconds wait);
  Status acknowledge(const Envelope& envelope);
  Status retry(const Envelope& envelope, std::chrono::milliseconds delay);
  void stop();

  /// Blobs in line, and those that wait for another try.
  std::size_t waiting_count() const;
  /// Blobs remembered as done with; for tests of the bound.
  std::size_t done_count() const;

 private:
  using EventTime = std::optional<std::chrono::system_clock::time_point>;
  enum class Where : std::uint8_t { in_line, in_work, waiting };

  struct Item {
    Where where = Where::in_line;
    int attempt = 1;
    bool dirty = false;                  ///< arrived again while in work
    std::string swept_etag;              ///< the version a sweep found; empty where an event came
    std::string receipt;                 ///< of the present delivery; only while in work
    EventTime event_time;                ///< of the first event that is not dealt with; empty where a sweep found it
    telemetry::TraceContext trace;       ///< of all deliveries of this arrival
    telemetry::TraceContext next_trace;  ///< of the arrival that made it dirty
    Clock::time_point due{};             ///< only while waiting
  };

  struct Done {
    std::string etag;  ///< empty where the version is not known
    Clock::time_point at;
  };

  using Items = std::unordered_map<std::string, Item>;

  void put_in_line(const std::string& blob, Item& item);
  void wake_due(Clock::time_point now);
  Envelope hand_out();
  Result<Items::iterator> find_in_work(const Envelope& envelope);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Items items_;
  std::deque<std::string> line_;
  std::set<std::pair<Clock::time_point, std::string>> waiting_;
  std::unordered_map<std::string, Done> done_;
  std::uint64_t receipts_ = 0;
  bool stopped_ = false;
};

}  // namespace dropscore::event
