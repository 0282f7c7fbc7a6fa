#include "event/queue_mail.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <fmt/chrono.h>

#include "base/hash.h"
#include "base/log.h"
#include "telemetry/metrics.h"

namespace dropscore::event {

QueueMail::QueueMail(const azure::Account& account, std::string container, const std::string& queue,
                     const std::string& poison, const std::shared_ptr<net::HttpClient>& client,
                     const net::RetryPolicy& retry)
    : account_(account.name),
      container_(std::move(container)),
      queue_(account, queue, client, retry),
      dead_letters_(AzureQueue(account, poison, client, retry)) {}

SortedMail QueueMail::sort(std::vector<QueueMessage> messages) const {
  SortedMail sorted;
  for (QueueMessage& message : messages) {
    Result<std::vector<BlobEvent>> events = parse_message(message.text);
    OddMail odd;
    odd.message = std::move(message);
    if (events) {
      std::ranges::copy_if(*events, std::back_inserter(odd.arrivals),
                           [this](const BlobEvent& event) { return is_arrival(event, account_, container_); });
    } else {
      odd.fault = std::move(events).error();
    }
    if (odd.arrivals.size() != 1) {
      sorted.odd.push_back(std::move(odd));
      continue;
    }
    BlobEvent& event = odd.arrivals.front();
    std::optional<std::string> etag;
    if (!event.etag.empty()) etag = std::move(event.etag);
    if (!event.trace.has_trace()) event.trace.trace_id = telemetry::trace_id_of(odd.message.id);
    sorted.arrivals.push_back(
        {std::move(odd.message), std::move(event.blob), std::move(etag), std::move(event.trace), event.time});
  }
  return sorted;
}

Status QueueMail::clear_away(const OddMail& odd) {
  const QueueMessage& message = odd.message;
  if (odd.fault) {
    DROPSCORE_CHECK(dead_letters_.put({odd.fault->customer.text, {}, {}, message.dequeue_count, message.text}));
    telemetry::add(telemetry::Metric::poison, 1, {"no_event"});
    log::warning("message_dead_lettered", {{"queue", queue_.name()}, {"error", odd.fault->detail.text}});
  }
  for (const BlobEvent& arrival : odd.arrivals) DROPSCORE_CHECK(announce(arrival.blob, arrival.etag, arrival.trace));
  return queue_.remove(message.id, message.receipt);
}

Status QueueMail::announce(const std::string& blob, const std::string& etag, const telemetry::TraceContext& trace) {
  const std::string id = random_id();
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string time = fmt::format("{:%FT%TZ}", fmt::gmtime(now));
  return queue_.put(event_json({id, time, account_, container_, blob, etag, trace}));
}

}  // namespace dropscore::event
