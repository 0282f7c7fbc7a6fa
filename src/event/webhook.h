// The webhook that Event Grid delivers to, without its HTTP: what a request asks for, and the answer to it.
// Microsoft's "Webhook event delivery" (Event Grid schema) and CNCF's "HTTP 1.1 Web Hooks for Event Delivery"
// (CloudEvents) say what is asked; docs/formats/events.md what is answered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/blob_event.h"

namespace dropscore::event {

/// A header that the request does not have is empty.
struct WebhookRequest {
  std::string_view method = {};
  std::string_view content_type = {};
  std::string_view aeg_event_type = {};          ///< aeg-event-type
  std::string_view webhook_request_origin = {};  ///< WebHook-Request-Origin
  std::string_view webhook_request_rate = {};    ///< WebHook-Request-Rate
  std::string_view body = {};
};

struct WebhookHeader {
  std::string_view name;  ///< a literal
  std::string value;      ///< printable ASCII
};

struct WebhookArrival {
  std::string blob;               ///< its name
  telemetry::TraceContext trace;  ///< the event's own; may be none
};

struct WebhookReply {
  unsigned status = 200;
  std::vector<WebhookHeader> headers;  ///< beside Content-Type, which is application/json where there is a body
  std::string body;
  std::string refusal;  ///< for a customer; only where the status is not 200, and there is no body then
  std::vector<WebhookArrival> arrivals;  ///< to be notified of once this is answered
};

/// Whose blobs are of interest; others' events are answered alike and lead to nothing. An empty account is any.
struct WebhookScope {
  std::string account;
  std::string container;
};

/// Pure. Statuses: 200; 400 (no events, or a handshake without origin), 405, 413 (over max_event_bytes), 415.
WebhookReply answer_webhook(const WebhookRequest& request, const WebhookScope& scope);

}  // namespace dropscore::event
