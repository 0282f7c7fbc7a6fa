#include "event/arrivals.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "telemetry/metrics.h"

namespace dropscore::event {
namespace {

/// Keeps sums of time points and the callers' "for ever" within the clock's range.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours(24);

telemetry::TraceContext or_new(const telemetry::TraceContext& trace) {
  telemetry::TraceContext chosen = trace;
  if (!chosen.has_trace()) chosen.trace_id = telemetry::new_trace_id();
  return chosen;
}

}  // namespace

void Arrivals::put_in_line(const std::string& blob, Item& item) {
  item.where = Where::in_line;
  line_.push_back(blob);
  changed_.notify_one();
}

void Arrivals::arrived(const std::string& blob, const telemetry::TraceContext& trace) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = items_.try_emplace(blob);
  Item& item = at->second;
  // Whatever version a sweep saw, this arrival may be another one.
  item.swept_etag.clear();
  if (is_new || (item.where == Where::in_work && !item.dirty)) item.event_time = std::chrono::system_clock::now();
  if (is_new) {
    item.trace = or_new(trace);
    put_in_line(blob, item);
  } else if (item.where == Where::in_work) {
    item.dirty = true;
    item.next_trace = or_new(trace);
  } else if (item.where == Where::waiting) {
    waiting_.erase({item.due, blob});
    item.attempt = 1;
    item.trace = or_new(trace);
    put_in_line(blob, item);
  }
}

bool Arrivals::is_known(const std::string& blob) const {
  const std::lock_guard lock(mutex_);
  return items_.contains(blob);
}

bool Arrivals::found(const std::string& blob, const std::string& etag, Clock::time_point sweep_start) {
  const std::lock_guard lock(mutex_);
  if (items_.contains(blob)) return false;
  const auto done = done_.find(blob);
  if (done != done_.end() && (done->second.at >= sweep_start || done->second.etag == etag)) return false;
  Item& item = items_[blob];
  item.swept_etag = etag;
  item.trace = or_new({});
  put_in_line(blob, item);
  telemetry::add(telemetry::Metric::sweep_found);
  return true;
}

void Arrivals::forget_done() {
  const std::lock_guard lock(mutex_);
  for (auto& [blob, done] : done_) done.etag.clear();
}

void Arrivals::forget_others(const std::unordered_set<std::string>& seen, Clock::time_point sweep_start) {
  const std::lock_guard lock(mutex_);
  std::erase_if(done_, [&](const auto& done) { return done.second.at < sweep_start && !seen.contains(done.first); });
}

void Arrivals::wake_due(Clock::time_point now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const std::string blob = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    put_in_line(blob, items_.at(blob));
  }
}

Envelope Arrivals::hand_out() {
  Envelope envelope;
  envelope.blob = std::move(line_.front());
  line_.pop_front();
  Item& item = items_.at(envelope.blob);
  item.where = Where::in_work;
  item.dirty = false;
  item.receipt = fmt::format("{}", ++receipts_);
  envelope.attempt = item.attempt;
  envelope.receipt = item.receipt;
  envelope.trace = item.trace;
  envelope.event_time = item.event_time;
  return envelope;
}

std::optional<Envelope> Arrivals::take(std::chrono::milliseconds wait) {
  const Clock::time_point deadline = Clock::now() + std::clamp(wait, std::chrono::milliseconds(0), longest_wait);
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_) return std::nullopt;
    const Clock::time_point now = Clock::now();
    wake_due(now);
    if (!line_.empty()) return hand_out();
    if (now >= deadline) return std::nullopt;
    // A copy: the wait keeps a reference to its time, and gives up the lock under which the queue's own stays valid.
    Clock::time_point until = deadline;
    if (!waiting_.empty()) until = std::min(until, waiting_.begin()->first);
    changed_.wait_until(lock, until);
  }
}

Result<Arrivals::Items::iterator> Arrivals::find_in_work(const Envelope& envelope) {
  const auto found = items_.find(envelope.blob);
  if (found == items_.end() || found->second.where != Where::in_work || found->second.receipt != envelope.receipt) {
    return fail(ErrorKind::not_found, "this delivery has ended already");
  }
  return found;
}

Status Arrivals::acknowledge(const Envelope& envelope) {
  const std::lock_guard lock(mutex_);
  DROPSCORE_TRY(const auto at, find_in_work(envelope));
  Item& item = at->second;
  done_[envelope.blob] = Done{envelope.etag.value_or(item.swept_etag), Clock::now()};
  if (item.dirty) {
    Item next;
    next.event_time = item.event_time;
    next.trace = std::move(item.next_trace);
    item = std::move(next);
    put_in_line(envelope.blob, item);
  } else {
    items_.erase(at);
  }
  return {};
}

Status Arrivals::retry(const Envelope& envelope, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  DROPSCORE_TRY(const auto at, find_in_work(envelope));
  Item& item = at->second;
  // New content begins to count anew; the delay stays, since the fault may well be the API's or the store's.
  item.attempt = item.dirty ? 1 : item.attempt + 1;
  if (item.dirty) item.trace = std::move(item.next_trace);
  item.dirty = false;
  item.where = Where::waiting;
  item.due = Clock::now() + std::clamp(delay, std::chrono::milliseconds(0), longest_wait);
  waiting_.emplace(item.due, envelope.blob);
  // Whoever waits has to look at the clock again. All of them: one alone might give up before the blob is due.
  changed_.notify_all();
  return {};
}

void Arrivals::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

std::size_t Arrivals::waiting_count() const {
  const std::lock_guard lock(mutex_);
  return line_.size() + waiting_.size();
}

std::size_t Arrivals::done_count() const {
  const std::lock_guard lock(mutex_);
  return done_.size();
}

}  // namespace dropscore::event
