// Event Grid's webhook as a path of the HTTP server: POST, OPTIONS /events.
#pragma once

#include <functional>
#include <string>

#include "app/http/endpoint.h"
#include "event/webhook.h"
#include "telemetry/trace_context.h"

namespace dropscore::webhook {

using Notify = std::function<void(const std::string& blob, const telemetry::TraceContext& trace)>;

/// `notify` is called for each blob that an event tells of, before the event is answered, by several threads at a time;
/// it must not block for long (Event Grid waits 30 s) and owns what it uses. Blobs of others than `scope` are passed
/// over. The trace is the event's own, else that of the request which brought it; it may be none. What is answered when
/// is in docs/formats/events.md.
http::Endpoint webhook_endpoint(event::WebhookScope scope, Notify notify);

}  // namespace dropscore::webhook
