// Looks now and then at how long a queue is and how old its oldest message, for the metrics. On a thread of its own, so
// that a scrape waits for no service.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "azure/account.h"
#include "event/azure_queue.h"
#include "net/http_client.h"

namespace dropscore::event {

/// Thread-safe.
class QueueGauges {
 public:
  using Clock = std::chrono::steady_clock;

  /// Begins to look. REQUIRES: as AzureQueue's.
  QueueGauges(const azure::Account& account, const std::string& queue, std::shared_ptr<net::HttpClient> client,
              std::chrono::milliseconds interval = std::chrono::seconds(15));
  /// Waits for a look under way: some seconds.
  ~QueueGauges();
  QueueGauges(const QueueGauges&) = delete;
  QueueGauges& operator=(const QueueGauges&) = delete;

  /// When the queue last answered; at first, when this was made.
  Clock::time_point last_answer() const { return last_answer_.load(); }

 private:
  void run();
  Status look();

  AzureQueue queue_;
  const std::chrono::milliseconds interval_;
  std::atomic<Clock::time_point> last_answer_{Clock::now()};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace dropscore::event
