#include "event/sweeper.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dropscore::event {
namespace {

constexpr int sweep_share = 20;  ///< a sweep takes at most one part in twenty of the time

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
  thread_ = std::thread([this] { run(); });
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
    if (!stopping_) faults.note(swept);
    const Clock::duration pause = pause_after(Clock::now() - start, interval_);
    std::unique_lock lock(mutex_);
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
