// The names of requests, the line that each leaves in the log, and what they count for in the metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/request_parser.h"
#include "base/log.h"
#include "job/score_stream.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace dropscore::http {

/// What became of a request.
struct RequestRecord {
  std::chrono::steady_clock::time_point begun;
  std::string_view method = "-";  ///< a known one, "other", or "-": never the client's own text
  std::string_view path = "-";    ///< as Routes::path_template()
  unsigned status = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t sent_bytes = 0;
  job::ScoreCounts counts;
  bool aborted = false;
  std::string id;
  telemetry::SpanIdentity span;  ///< in no trace where the client named none and nothing is exported

  /// Makes the request a span of the trace that its header names.
  void begin_span(const RequestHead& head);
};

/// "GET" and the like as they are, "other" for what nobody knows. Lives for ever.
std::string_view known_method(std::string_view method);

/// Sets `id` to the client's X-Request-Id where it is 1 to 128 printable ASCII characters (it goes into logs and back
/// out), otherwise to 32 new hexadecimal digits. Ids are for telling requests apart: they are not secrets.
void set_request_id(std::string& id, std::string_view asked_for);
std::string request_id(std::string_view asked_for);

/// What a server's metrics begin with; those of rows too where it `predicts`.
void expose_request_metrics(bool predicts);

/// Requests that ended, as the metrics count them, since the last flush(). Not thread-safe. A request costs some
/// nanoseconds here; the process's metrics, which have locks, are touched by flush() alone.
class RequestCounts {
 public:
  void add(const RequestRecord& request, double seconds);
  void flush();

 private:
  struct Kind {
    std::string_view path;
    std::string_view method;
    unsigned status = 0;
    double count = 0;
  };
  struct Path {
    std::string_view path;
    telemetry::Observations seconds{telemetry::Metric::http_duration};
    double count = 0;
    double received_bytes = 0;
    double sent_bytes = 0;
    double aborted = 0;
  };
  Kind& kind_of(const RequestRecord& request);
  Path& path_of(const RequestRecord& request);

  std::vector<Kind> kinds_;  // few: what a client chooses freely is in none of them
  std::vector<Path> paths_;
  job::ScoreCounts rows_;
};

/// What is known of the requests of one reactor, until it is written. Not thread-safe. Destroying it writes what is
/// left.
class RequestLog {
 public:
  explicit RequestLog(bool records) : records_(records) {}
  ~RequestLog() { flush(); }
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  /// A request that ends now.
  void add(const RequestRecord& request);
  void flush();

 private:
  bool records_;
  log::Gathered lines_;
  RequestCounts counts_;
};

}  // namespace dropscore::http
