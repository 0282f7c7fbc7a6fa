#include "event/sweeper.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "telemetry/metrics.h"

namespace dropscore::event {
namespace {

constexpr int sweep_share = 20;  ///< a sweep takes at most one part in twenty of the time

void count(const Status& swept, Sweeper::Clock::duration took) {
  telemetry::add(telemetry::Metric::sweeps, 1, {swept ? "done" : "failed"});
  telemetry::observe(telemetry::Metric::sweep_duration, std::chrono::duration<double>(took).count());
}

}  // namespace

bool FaultLog::note(const Status& status, Clock::time_point now) {
  if (status) {
    told_at_.reset();
    return false;
  }
  const std::string& text = status.error().detail.text;
  if (told_at_ && (text == text_ || now - *told_at_ < quiet_time)) return false;
  told_at_ = now;
  text_ = text;
  log::warning(event_, {{"error", text}});
  return true;
}

Sweeper::~Sweeper() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::start() {
  telemetry::expose(telemetry::Part::sweep);
  for (const char* outcome : {"done", "failed"}) telemetry::add(telemetry::Metric::sweeps, 0, {outcome});
  thread_ = std::thread([this] { run(); });
}

SweepState Sweeper::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Sweeper::sweep_soon() {
  {
    const std::lock_guard lock(mutex_);
    now_ = true;
  }
  wanted_.notify_all();
}

void Sweeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
}

Sweeper::Clock::duration Sweeper::pause_after(Clock::duration took, std::chrono::milliseconds interval) {
  return std::max<Clock::duration>(interval, (sweep_share - 1) * took);
}

void Sweeper::run() {
  FaultLog faults("sweep_failed");
  while (!stopping_) {
    const Clock::time_point start = Clock::now();
    const Status swept = sweep_(start);
    const Clock::duration took = Clock::now() - start;
    if (!stopping_) faults.note(swept);
    if (!stopping_) count(swept, took);
    const Clock::duration pause = pause_after(took, interval_);
    std::unique_lock lock(mutex_);
    state_.expected_every = took + pause;
    if (swept) state_.last_done = Clock::now();
    wanted_.wait_for(lock, pause, [this] { return stopping_ || now_; });
    now_ = false;
  }
}

Status validate_sweep_interval(std::chrono::milliseconds interval) {
  if (interval < std::chrono::milliseconds(1)) return fail(ErrorKind::misuse, "the sweep interval is under 1 ms");
  if (interval > std::chrono::hours(24)) return fail(ErrorKind::misuse, "the sweep interval is over a day");
  return {};
}

}  // namespace dropscore::event
