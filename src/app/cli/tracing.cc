#include "app/cli/tracing.h"

#include <cstdlib>
#include <memory>

#include "base/build_info.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "telemetry/span_exporter.h"

namespace dropscore::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds last_patience{5'000};  ///< with spans that are left when the process ends
constexpr std::size_t max_reply_bytes = 64 * limits::kib;

/// The URL as a log may show it: a query may hold a credential.
std::string shown_endpoint(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

telemetry::Send send_through(const std::shared_ptr<net::HttpClient>& client, const telemetry::TraceSettings& settings) {
  net::Request request;
  request.method = "POST";
  request.url = settings.endpoint;
  request.headers = {{"Content-Type", "application/x-protobuf"}};
  for (const auto& [name, value] : settings.headers) request.headers.push_back({name, value});
  request.connect_timeout = std::min(request.connect_timeout, settings.timeout);
  request.stall_timeout = settings.timeout;
  return [client, request](const std::string& body, const Deadline& deadline,
                           const std::stop_token& cancelled) mutable -> Result<telemetry::SendReply> {
    request.body = body;
    request.deadline = deadline;
    request.cancelled = cancelled;
    DROPSCORE_TRY(const std::unique_ptr<net::Exchange> answer, client->send(request));
    telemetry::SendReply reply;
    reply.status = answer->status();
    reply.retry_after = net::retry_after(*answer, std::chrono::system_clock::now());
    // An answer that breaks off has said what counts with its status.
    reply.body = net::read_body(*answer, max_reply_bytes).value_or("");
    return reply;
  };
}

void finish_export() {
  if (!telemetry::exports_spans()) return;
  telemetry::stop_export(last_patience);
  const telemetry::SpanExporter::Counts counts = telemetry::export_counts();
  log::info("traced", {{"sent", counts.sent}, {"dropped", counts.dropped}, {"failed", counts.failed}});
}

}  // namespace

telemetry::Variables environment_variables() {
  return [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread yet
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Tracing::Tracing() {
  const telemetry::TraceSettings settings = telemetry::trace_settings(environment_variables(), build_info::version);
  for (const std::string& warning : settings.warnings) log::warning("tracing_setting", {{"error", warning}});
  telemetry::set_sampler(settings.sampler);
  if (!settings.exports()) return;
  telemetry::start_export(settings, send_through(std::make_shared<net::HttpClient>(), settings));
  log::info("tracing", {{"endpoint", shown_endpoint(settings.endpoint)}, {"service", settings.service()}});
}

Tracing::~Tracing() { finish_export(); }

void leave(int exit_code) {
  finish_export();
  std::_Exit(exit_code);
}

}  // namespace dropscore::app
