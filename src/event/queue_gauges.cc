#include "event/queue_gauges.h"

#include <algorithm>
#include <utility>

#include "net/retry.h"
#include "telemetry/metrics.h"

namespace dropscore::event {
namespace {

using telemetry::Metric;

/// The next look is the next try.
net::RetryPolicy one_try() {
  net::RetryPolicy policy;
  policy.max_tries = 1;
  policy.budget = std::chrono::seconds(5);
  return policy;
}

double seconds_since(std::chrono::system_clock::time_point time, std::chrono::system_clock::time_point now) {
  return std::max(0.0, std::chrono::duration<double>(now - time).count());  // the service's clock may be ahead
}

}  // namespace

QueueGauges::QueueGauges(const azure::Account& account, const std::string& queue,
                         std::shared_ptr<net::HttpClient> client, std::chrono::milliseconds interval)
    : queue_(account, queue, std::move(client), one_try()), interval_(interval), thread_([this] { run(); }) {}

QueueGauges::~QueueGauges() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

/// A fault is the inbox's to tell; here the numbers stay as they are, and say how old they are.
void QueueGauges::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (look()) last_answer_ = Clock::now();
    lock.lock();
    changed_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

Status QueueGauges::look() {
  DROPSCORE_TRY(const std::uint64_t length, queue_.length());
  DROPSCORE_TRY(const auto oldest, queue_.oldest());
  const auto now = std::chrono::system_clock::now();
  telemetry::set(Metric::queue_messages, static_cast<double>(length));
  telemetry::set(Metric::queue_age, oldest ? seconds_since(*oldest, now) : 0);
  telemetry::set(Metric::queue_looked_at, seconds_since({}, now));
  return {};
}

}  // namespace dropscore::event
