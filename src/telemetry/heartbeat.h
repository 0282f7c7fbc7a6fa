// Threads that must get on: how long each has been silent, so that one that never will again is noticed.
//
// A thread that works through a file may wait for a slow service for a long time; it beats while it waits, and between
// the pieces of its work. What no fault of a service can explain is silence beyond every time limit there is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dropscore::telemetry {

/// A pulse is beaten by the thread that made it, and by those that help it (BeatsFor). Watched as long as it lives.
/// Thread-safe.
class Pulse {
 public:
  /// `name` of the kind of thread, and what it may be silent for at most.
  Pulse(std::string name, std::chrono::milliseconds limit);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  void beat();
  std::chrono::milliseconds silence() const;
  const std::string& name() const { return name_; }
  std::chrono::milliseconds limit() const { return limit_; }

 private:
  std::string name_;
  std::chrono::milliseconds limit_;
  std::atomic<std::int64_t> last_ms_;
};

/// This thread's: of the Pulse that BeatsFor gave it; null where there is none.
Pulse* pulse_of_thread();

/// While it lives, beat() on this thread is `pulse`'s, which may be null and must outlive it.
class BeatsFor {
 public:
  explicit BeatsFor(Pulse* pulse);
  ~BeatsFor();
  BeatsFor(const BeatsFor&) = delete;
  BeatsFor& operator=(const BeatsFor&) = delete;

 private:
  Pulse* before_;
};

/// This thread got on. Costs a look at the clock, and nothing where it has no pulse.
inline void beat() {
  if (Pulse* const pulse = pulse_of_thread()) pulse->beat();
}

struct Silence {
  std::string name;
  std::chrono::milliseconds lasted{0};
  std::chrono::milliseconds limit{0};
  bool too_long() const { return lasted > limit; }
};

/// Of every pulse, the longest first by what part of its limit has passed.
std::vector<Silence> silences();

}  // namespace dropscore::telemetry
