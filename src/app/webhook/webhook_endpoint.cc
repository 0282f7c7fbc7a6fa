#include "app/webhook/webhook_endpoint.h"

#include <utility>

#include "app/http/problem.h"
#include "telemetry/trace.h"

namespace dropscore::webhook {
namespace {

http::EndpointReply reply_of(event::WebhookReply answered) {
  http::EndpointReply reply;
  reply.status = answered.status;
  reply.body = std::move(answered.body);
  if (!answered.refusal.empty()) {
    reply.content_type = http::problem_type;
    reply.body = http::problem_json({.status = answered.status, .detail = answered.refusal, .errors_json = {}});
  }
  for (event::WebhookHeader& header : answered.headers) reply.headers.push_back({header.name, std::move(header.value)});
  return reply;
}

}  // namespace

http::Endpoint webhook_endpoint(event::WebhookScope scope, Notify notify) {
  http::Endpoint endpoint;
  endpoint.path = "/events";
  endpoint.allow = "POST, OPTIONS";
  endpoint.access = http::Access::key_but_to_options;
  endpoint.max_body_bytes = event::max_event_bytes;
  endpoint.answer = [scope = std::move(scope), notify = std::move(notify)](const http::EndpointRequest& request) {
    const http::RequestHead& head = request.parser.head();
    event::WebhookRequest asked;
    asked.method = head.method;
    asked.content_type = head.content_type.value_or(std::string_view());
    asked.aeg_event_type = request.parser.field("aeg-event-type");
    asked.webhook_request_origin = request.parser.field("WebHook-Request-Origin");
    asked.webhook_request_rate = request.parser.field("WebHook-Request-Rate");
    asked.body = request.body;
    event::WebhookReply answered = event::answer_webhook(asked, scope);
    for (const event::WebhookArrival& arrival : answered.arrivals) {
      // What raised the event comes before who brought it here.
      notify(arrival.blob, arrival.trace.has_trace() ? arrival.trace : telemetry::current_trace());
    }
    return reply_of(std::move(answered));
  };
  return endpoint;
}

}  // namespace dropscore::webhook
