// Event Grid's webhook as a path of the HTTP server: POST, OPTIONS /events.
#pragma once

#include <functional>
#include <string>

#include "app/http/endpoint.h"
#include "event/webhook.h"

namespace dropscore::webhook {

/// `notify` is called for each blob that an event tells of, before the event is answered, by several threads at a time;
/// it must not block for long (Event Grid waits 30 s) and owns what it uses. Blobs of others than `scope` are passed
/// over. What is answered when is in docs/formats/events.md.
http::Endpoint webhook_endpoint(event::WebhookScope scope, std::function<void(const std::string& blob)> notify);

}  // namespace dropscore::webhook
