#include "telemetry/heartbeat.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace dropscore::telemetry {
namespace {

using std::chrono::milliseconds;

thread_local Pulse* of_thread = nullptr;

struct Pulses {
  std::mutex mutex;
  std::vector<const Pulse*> all;
};

/// Never destroyed: threads may outlive main's end.
Pulses& pulses() {
  static Pulses& instance = *new Pulses;
  return instance;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double share(const Silence& silence) {
  return static_cast<double>(silence.lasted.count()) /
         static_cast<double>(std::max<std::int64_t>(silence.limit.count(), 1));
}

}  // namespace

Pulse::Pulse(std::string name, milliseconds limit) : name_(std::move(name)), limit_(limit), last_ms_(now_ms()) {
  const std::lock_guard lock(pulses().mutex);
  pulses().all.push_back(this);
}

Pulse::~Pulse() {
  const std::lock_guard lock(pulses().mutex);
  std::erase(pulses().all, this);
}

void Pulse::beat() { last_ms_.store(now_ms(), std::memory_order_relaxed); }

milliseconds Pulse::silence() const { return milliseconds(now_ms() - last_ms_.load(std::memory_order_relaxed)); }

Pulse* pulse_of_thread() { return of_thread; }

BeatsFor::BeatsFor(Pulse* pulse) : before_(std::exchange(of_thread, pulse)) { beat(); }
BeatsFor::~BeatsFor() { of_thread = before_; }

std::vector<Silence> silences() {
  std::vector<Silence> found;
  {
    const std::lock_guard lock(pulses().mutex);
    for (const Pulse* pulse : pulses().all) found.push_back({pulse->name(), pulse->silence(), pulse->limit()});
  }
  std::ranges::sort(found, [](const Silence& a, const Silence& b) { return share(a) > share(b); });
  return found;
}

}  // namespace dropscore::telemetry
