#include "app/http/request_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/logged_ms.h"
#include "job/row_metrics.h"

namespace dropscore::http {
namespace {

constexpr std::size_t max_request_id_bytes = 128;

/// SplitMix64 (Steele, Lea, Flood 2014), twice, from a random start for each thread. Neither half repeats within 2^64
/// ids of a thread; the system's own random numbers took a twentieth of a request.
class Ids {
 public:
  Ids() {
    const std::string start = random_id();
    for (std::size_t i = 0; i < 2; ++i)
      std::from_chars(start.data() + 16 * i, start.data() + 16 * (i + 1), state_[i], 16);
  }
  void next(std::string& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    id.resize(32);
    char* at = id.data();
    for (std::uint64_t& state : state_) {
      std::uint64_t bits = mixed(state += 0x9e3779b97f4a7c15);
      for (int i = 0; i < 16; ++i, bits >>= 4U) *at++ = digits[bits & 15U];
    }
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return z ^ (z >> 31U);
  }
  std::array<std::uint64_t, 2> state_{};
};

/// The names are those of OpenTelemetry's semantic conventions for HTTP servers.
telemetry::FinishedSpan span_of(const RequestRecord& request, std::chrono::duration<double> took) {
  telemetry::FinishedSpan span;
  span.identity = request.span;
  span.kind = telemetry::SpanKind::server;
  span.end = telemetry::WallClock::now();
  span.start = span.end - std::chrono::duration_cast<telemetry::WallClock::duration>(took);
  const bool known = request.path.starts_with('/');  // anything else is the client's own text, and stays here
  span.name = known ? fmt::format("{} {}", request.method, request.path) : std::string(request.method);
  const auto text = [&span](std::string_view name, std::string_view value) {
    span.attributes.push_back({name, std::string(value)});
  };
  const auto number = [&span](std::string_view name, std::uint64_t value) {
    span.attributes.push_back({name, static_cast<std::int64_t>(value)});
  };
  text("http.request.method", request.method == "other" ? "_OTHER" : request.method);
  if (known) text("http.route", request.path);
  if (known) text("url.path", request.path);
  text("url.scheme", "http");
  if (request.status > 0) number("http.response.status_code", request.status);
  number("http.request.body.size", request.body_bytes);
  number("http.response.size", request.sent_bytes);
  number("dropscore.rows", request.counts.scored);
  number("dropscore.rejected", request.counts.rejected);
  text("dropscore.request_id", request.id);
  span.failed = request.aborted || request.status >= 500;
  if (span.failed) text("error.type", request.aborted ? "aborted" : std::to_string(request.status));
  return span;
}

}  // namespace

void RequestRecord::begin_span(const RequestHead& head) {
  const bool exports = telemetry::exports_spans();
  if (head.traceparent.empty() && !exports) {
    if (span.context.has_trace()) span = {};
    return;
  }
  const telemetry::TraceContext parent = telemetry::trace_context(head.traceparent, head.tracestate);
  span = parent.has_trace() || exports ? telemetry::begin_span(parent) : telemetry::SpanIdentity{};
}

std::string_view known_method(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "other";
}

void set_request_id(std::string& id, std::string_view asked_for) {
  thread_local Ids ids;
  const bool usable = !asked_for.empty() && asked_for.size() <= max_request_id_bytes &&
                      std::all_of(asked_for.begin(), asked_for.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (usable) {
    id = asked_for;
  } else {
    ids.next(id);
  }
}

std::string request_id(std::string_view asked_for) {
  std::string id;
  set_request_id(id, asked_for);
  return id;
}

void expose_request_metrics(bool predicts) {
  if (predicts) job::expose_rows("api");
  telemetry::expose(telemetry::Part::http);
  for (const char* reason : {"connections", "memory", "waiting"}) {
    telemetry::add(telemetry::Metric::http_turned_away, 0, {reason});
  }
}

RequestCounts::Kind& RequestCounts::kind_of(const RequestRecord& request) {
  for (Kind& kind : kinds_) {
    if (kind.status == request.status && kind.path == request.path && kind.method == request.method) return kind;
  }
  return kinds_.emplace_back(Kind{request.path, request.method, request.status});
}

RequestCounts::Path& RequestCounts::path_of(const RequestRecord& request) {
  for (Path& path : paths_) {
    if (path.path == request.path) return path;
  }
  paths_.emplace_back().path = request.path;
  return paths_.back();
}

void RequestCounts::add(const RequestRecord& request, double seconds) {
  kind_of(request).count += 1;
  Path& path = path_of(request);
  path.count += 1;
  path.seconds.observe(seconds);
  path.received_bytes += static_cast<double>(request.body_bytes);
  path.sent_bytes += static_cast<double>(request.sent_bytes);
  if (request.aborted) path.aborted += 1;
  if (request.counts.scored > 0 || request.counts.rejected > 0) rows_ += request.counts;
}

void RequestCounts::flush() {
  using telemetry::Metric;
  for (Kind& kind : kinds_) {
    if (kind.count == 0) continue;
    const std::string status = kind.status == 0 ? "none" : std::to_string(kind.status);
    telemetry::add(Metric::http_requests, std::exchange(kind.count, 0), {kind.path, kind.method, status});
  }
  for (Path& path : paths_) {
    if (std::exchange(path.count, 0) == 0) continue;
    path.seconds.flush({path.path});
    telemetry::add(Metric::http_received, std::exchange(path.received_bytes, 0), {path.path});
    telemetry::add(Metric::http_sent, std::exchange(path.sent_bytes, 0), {path.path});
    telemetry::add(Metric::http_aborted, std::exchange(path.aborted, 0), {path.path});
  }
  job::count_rows("api", std::exchange(rows_, {}));
}

void RequestLog::add(const RequestRecord& request) {
  if (!records_) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - request.begun;
  counts_.add(request, took.count());
  if (request.span.recorded) telemetry::end_span(span_of(request, took));
  const telemetry::InSpan in(request.span.context);
  lines_.info("request", {{"method", request.method},
                          {"path", request.path},
                          {"status", request.status},
                          {"bytes_in", request.body_bytes},
                          {"bytes_out", request.sent_bytes},
                          {"rows", request.counts.scored},
                          {"rejected", request.counts.rejected},
                          {"duration_ms", logged_ms(took)},
                          {"aborted", request.aborted},
                          {"request_id", request.id}});
}

void RequestLog::flush() {
  lines_.write();
  counts_.flush();
}

}  // namespace dropscore::http
