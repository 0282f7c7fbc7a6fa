#include "app/operations/endpoints.h"

#include <functional>
#include <string>
#include <utility>

#include "telemetry/metrics.h"

namespace dropscore::operations {
namespace {

constexpr const char* methods = "GET, HEAD";

http::Endpoint probe(std::string path, std::function<Report()> ask) {
  http::Endpoint endpoint;
  endpoint.path = std::move(path);
  endpoint.allow = methods;
  endpoint.immediate = true;
  endpoint.access = http::Access::open;
  endpoint.answer = [ask = std::move(ask)](const http::EndpointRequest&) {
    Report report = ask();
    http::EndpointReply reply;
    reply.status = report.ok ? 200 : 503;
    reply.body = std::move(report.json);
    reply.headers.push_back({"Cache-Control", "no-store"});
    return reply;
  };
  return endpoint;
}

}  // namespace

std::vector<http::Endpoint> operations_endpoints(const std::shared_ptr<const Health>& health) {
  http::Endpoint metrics;
  metrics.path = "/metrics";
  metrics.allow = methods;
  // Not immediate: what a scrape takes is no time for a thread that answers customers to lose.
  metrics.answer = [](const http::EndpointRequest&) {
    http::EndpointReply reply;
    reply.content_type = telemetry::scrape_type;
    reply.body = telemetry::scrape();
    return reply;
  };
  return {std::move(metrics), probe("/livez", [health] { return health->live(); }),
          probe("/readyz", [health] { return health->ready(); })};
}

}  // namespace dropscore::operations
