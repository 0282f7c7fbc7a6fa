// The names of requests, and the line that each leaves in the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
#include "job/score_stream.h"

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
};

/// "GET" and the like as they are, "other" for what nobody knows. Lives for ever.
std::string_view known_method(std::string_view method);

/// Sets `id` to the client's X-Request-Id where it is 1 to 128 printable ASCII characters (it goes into logs and back
/// out), otherwise to 32 new hexadecimal digits. Ids are for telling requests apart: they are not secrets.
void set_request_id(std::string& id, std::string_view asked_for);
std::string request_id(std::string_view asked_for);

/// Adds a request's line, which ends now.
void log_request(log::Gathered& lines, const RequestRecord& request);

}  // namespace dropscore::http
