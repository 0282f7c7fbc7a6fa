// What an inbox over a queue has in hand: messages that it took and that have not ended yet, which of them may be
// handed out, and which has to be renewed next. Knows nothing of the queue itself. Thread-safety: none, it is under the
// inbox's mutex.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event/azure_queue.h"
#include "event/inbox.h"

namespace dropscore::event {

class HeldMessages {
 public:
  using Clock = std::chrono::steady_clock;
  using Key = std::uint64_t;

  struct Held {
    QueueMessage message;
    std::string blob;
    std::optional<std::string> etag;
    telemetry::TraceContext trace = {};
    std::optional<std::chrono::system_clock::time_point> event_time;
    Clock::time_point hidden_until{};  ///< others get it after this, unless it is renewed
    Clock::time_point renew_at{};
    bool in_use = false;  ///< a request about it is on its way; it is not renewed, nor ended by anybody else
    bool lost = false;    ///< its receipt counts no longer: somebody else has it, or will
  };

  /// Takes `held` in hand, to be handed out: now, or where its blob is being worked on, when that ends. False, and
  /// nothing is kept, where another message for the blob waits already: whoever gets that one will see what this one is
  /// about too.
  bool add(Held held, Clock::time_point now);

  /// The next to be worked on; empty where there is none now.
  std::optional<Envelope> hand_out(Clock::time_point now);
  /// When hand_out() may have something; the clock's end where nothing waits but for work that goes on.
  Clock::time_point next_due() const;
  /// How many hand_out() would give now.
  std::size_t ready(Clock::time_point now) const;

  /// A message that was handed out and has not ended; null where it has.
  Held* find(const Envelope& envelope);
  Held* find(Key key);
  /// Work on it is over: the blob's next message may be handed out, but not before this.
  void end(Key key, Clock::time_point not_before);
  static std::optional<Key> key_of(const Envelope& envelope);

  bool holds(const std::string& blob) const { return blobs_.contains(blob); }
  /// The one to be renewed first, of those neither lost nor in use.
  std::optional<Key> next_renewal() const;
  std::vector<Key> keys() const;
  std::size_t count() const { return held_.size(); }
  /// Those that nobody works on.
  std::vector<Key> waiting_keys() const;

 private:
  struct Blob {
    Key in_work = 0;  ///< 0: none
    Key waiting = 0;  ///< 0: none; in line_ unless one is in work
    Clock::time_point due{};
  };

  std::map<Key, Held> held_;
  std::unordered_map<std::string, Blob> blobs_;
  std::set<std::pair<Clock::time_point, Key>> line_;
  Key last_key_ = 0;
};

}  // namespace dropscore::event
