// What an inbox makes of its queue's messages: which tell of a blob of its container, and what becomes of the others.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azure/account.h"
#include "event/azure_queue.h"
#include "event/blob_event.h"
#include "event/dead_letters.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace dropscore::event {

/// A message that tells of one blob: what Event Grid sends.
struct ArrivalMail {
  QueueMessage message;
  std::string blob;
  std::optional<std::string> etag;
  telemetry::TraceContext trace;  ///< the event's; without one, a trace that is always the same for this message
  std::optional<std::chrono::system_clock::time_point> time;  ///< of the event
};

/// Any other: about nothing of interest, about several blobs, or no event at all.
struct OddMail {
  QueueMessage message;
  std::vector<BlobEvent> arrivals;
  std::optional<Error> fault;
};

struct SortedMail {
  std::vector<ArrivalMail> arrivals;
  std::vector<OddMail> odd;
};

/// Thread-safe.
class QueueMail {
 public:
  /// REQUIRES: as AzureQueue's, for `queue` and `poison`.
  QueueMail(const azure::Account& account, std::string container, const std::string& queue, const std::string& poison,
            const std::shared_ptr<net::HttpClient>& client, const net::RetryPolicy& retry);

  AzureQueue& queue() { return queue_; }

  SortedMail sort(std::vector<QueueMessage> messages) const;
  /// Removes it: after it was dead-lettered where it is no event, and after each of several arrivals was put into a
  /// message of its own. Errors: those of AzureQueue; the message comes again then.
  Status clear_away(const OddMail& odd);
  /// Puts a message that tells of this blob; `trace` goes with it where it names a span.
  Status announce(const std::string& blob, const std::string& etag, const telemetry::TraceContext& trace = {});
  Status dead_letter(const DeadLetter& letter) { return dead_letters_.put(letter); }

 private:
  const std::string account_;
  const std::string container_;
  AzureQueue queue_;
  DeadLetters dead_letters_;
};

}  // namespace dropscore::event
