#include "event/webhook.h"

#include <algorithm>
#include <utility>

#include "base/json_writer.h"

namespace dropscore::event {
namespace {

constexpr std::string_view allowed_methods = "POST, OPTIONS";
constexpr std::size_t max_origin_bytes = 255;
constexpr std::size_t max_rate_digits = 9;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

WebhookReply refuse(unsigned status, std::string why) {
  WebhookReply reply;
  reply.status = status;
  reply.refusal = std::move(why);
  return reply;
}

bool is_json_type(std::string_view content_type) {
  std::string type = in_lower_case(content_type.substr(0, content_type.find(';')));
  type.erase(type.find_last_not_of(" \t") + 1);
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

/// CloudEvents' handshake. Whoever may reach this path may deliver: origins are not told apart here.
WebhookReply answer_handshake(const WebhookRequest& request) {
  const std::string_view origin = request.webhook_request_origin;
  const bool printable = std::ranges::all_of(origin, [](char c) { return c > ' ' && c <= '~'; });
  if (origin.empty() || origin.size() > max_origin_bytes || !printable) {
    return refuse(400, "the header WebHook-Request-Origin is missing, or no origin");
  }
  const std::string_view rate = request.webhook_request_rate;
  const bool number = !rate.empty() && rate.size() <= max_rate_digits &&
                      std::ranges::all_of(rate, [](char c) { return c >= '0' && c <= '9'; });
  WebhookReply reply;
  reply.headers.push_back({"Allow", std::string(allowed_methods)});
  reply.headers.push_back({"WebHook-Allowed-Origin", std::string(origin)});
  reply.headers.push_back({"WebHook-Allowed-Rate", number ? std::string(rate) : "*"});
  return reply;
}

WebhookReply answer_events(const std::vector<BlobEvent>& events, const WebhookScope& scope) {
  WebhookReply reply;
  for (const BlobEvent& event : events) {
    if (event.kind == BlobEvent::Kind::validation && reply.body.empty()) {
      JsonWriter(reply.body).begin_object().member("validationResponse", event.validation_code).end_object();
    } else if (is_arrival(event, scope.account, scope.container)) {
      reply.arrivals.push_back({event.blob, event.trace});
    }
  }
  return reply;
}

}  // namespace

WebhookReply answer_webhook(const WebhookRequest& request, const WebhookScope& scope) {
  if (request.method == "OPTIONS") return answer_handshake(request);
  if (request.method != "POST") {
    WebhookReply reply = refuse(405, "events come by POST");
    reply.headers.push_back({"Allow", std::string(allowed_methods)});
    return reply;
  }
  // The subscription has gone: there is nothing to do, whatever the body says.
  if (in_lower_case(request.aeg_event_type) == "subscriptiondeletion") return {};
  if (!is_json_type(request.content_type))
    return refuse(415, "events are application/json or application/cloudevents+json");
  const Result<std::vector<BlobEvent>> events = parse_events(request.body);
  if (!events) return refuse(events.error().kind == ErrorKind::too_large ? 413 : 400, events.error().customer.text);
  return answer_events(*events, scope);
}

}  // namespace dropscore::event
