// "A blob arrived": where a worker takes its next file from, and what it says when it is done with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "telemetry/trace_context.h"

namespace dropscore::event {

/// One arrival, on its way. `attempt` counts from 1.
struct Envelope {
  std::string blob;                 ///< name within the container
  std::optional<std::string> etag;  ///< the version that the event named, where it named one
  int attempt = 1;
  std::string receipt;  ///< the inbox's own handle on this delivery
  /// The span that raised the event, where it named one; else a trace without a span, the same for every delivery of
  /// this arrival.
  telemetry::TraceContext trace = {};
  std::string message_id = {};  ///< of a queue's message; empty where there is none
  /// When the blob arrived, where an event told: not what a sweep found.
  std::optional<std::chrono::system_clock::time_point> event_time = {};
};

/// How sweeps do.
struct SweepState {
  std::chrono::steady_clock::time_point last_done;     ///< without a fault; at first, when the inbox was opened
  std::chrono::steady_clock::duration expected_every;  ///< the last one's time and the pause after it
};

/// At-least-once, unordered delivery with competing consumers. Never hands out one blob to two takers at a time; an
/// arrival of a blob that is being worked on is delivered after the present work ends. Thread-safe.
class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  virtual ~Inbox() = default;

  /// Waits at most `wait` for an arrival; empty when none came or stop() was called.
  virtual Result<std::optional<Envelope>> take(std::chrono::milliseconds wait) = 0;

  /// Done with it, for good. A taker may put the version that it worked on into `etag` first: an inbox that sweeps does
  /// not come back with that version then, whatever became of it. Errors: `not_found` (this delivery has ended
  /// already).
  virtual Status acknowledge(const Envelope& envelope) = 0;

  /// Not done: deliver again, `attempt` one higher, not before `delay` has passed. Where the blob has
  /// arrived anew meanwhile, `attempt` is 1 again. Errors: as acknowledge().
  virtual Status retry(const Envelope& envelope, std::chrono::milliseconds delay) = 0;

  /// Tried too often: as acknowledge(), and kept where an operator finds it with the reason, where an inbox has such a
  /// place. Errors: as acknowledge(), `try_later`.
  virtual Status dead_letter(const Envelope& envelope, std::string_view reason);

  /// Forgets which versions it is done with: a sweep may bring them again. For a change of what they were done by.
  virtual void forget_done() {}

  /// Gives back what was taken and is neither acknowledged nor retried, for others to take at once; for a worker that
  /// ends before its work does. Nothing may be taken after it.
  virtual void abandon() { stop(); }

  /// Empty where it does not sweep.
  virtual std::optional<SweepState> sweeps() const { return std::nullopt; }

  /// Wakes every taker and hands out nothing more. What is under way may still be acknowledged.
  virtual void stop() = 0;
};

}  // namespace dropscore::event
