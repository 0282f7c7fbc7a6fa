#include "app/http/options.h"

#include <fmt/format.h>

namespace dropscore::http {
namespace {

constexpr std::uint32_t max_timeout_ms = 24U * 60U * 60U * 1000U;

struct Timeout {
  const char* name;
  std::uint32_t value_ms;
};

}  // namespace

Status ServerOptions::validate() const {
  if (host.empty()) return fail(ErrorKind::misuse, "the address to listen on is empty");
  if (threads < 1 || threads > 256) return fail(ErrorKind::misuse, "the number of threads must be 1 to 256");
  if (endpoint_threads < 1 || endpoint_threads > 256) {
    return fail(ErrorKind::misuse, "the number of endpoint threads must be 1 to 256");
  }
  if (max_connections < 1) return fail(ErrorKind::misuse, "the limit on connections must be at least 1");
  if (max_waiting_work < 1) return fail(ErrorKind::misuse, "the limit on waiting requests must be at least 1");
  if (max_header_bytes < 256 || max_header_bytes > limits::mib) {
    return fail(ErrorKind::misuse, "the limit on a request's header must be 256 bytes to 1 MiB");
  }
  if (max_json_body_bytes < 1 || max_csv_body_bytes < 1) {
    return fail(ErrorKind::misuse, "a limit on a request's body must be at least 1 byte");
  }
  if (max_buffered_body_bytes <= max_json_body_bytes) {
    return fail(ErrorKind::misuse, "the limit on all JSON bodies must be over that on one");
  }
  if (max_json_body_bytes > limits::max_json_body_bytes) {
    return fail(ErrorKind::misuse,
                fmt::format("the limit on a JSON body must be at most {} bytes: it is held in memory",
                            limits::max_json_body_bytes));
  }
  for (const Timeout& timeout :
       {Timeout{"header", header_timeout_ms}, Timeout{"body", body_timeout_ms}, Timeout{"write", write_timeout_ms},
        Timeout{"keep-alive", keep_alive_timeout_ms}, Timeout{"answer stall", answer_stall_ms}}) {
    if (timeout.value_ms < 1 || timeout.value_ms > max_timeout_ms) {
      return fail(ErrorKind::misuse, fmt::format("the {} timeout must be 1 ms to 24 h", timeout.name));
    }
  }
  if (refusal_pause_ms > 10'000) return fail(ErrorKind::misuse, "the pause before a refusal must be at most 10 s");
  if (drain_timeout_ms > max_timeout_ms) return fail(ErrorKind::misuse, "the drain timeout must be at most 24 h");
  return {};
}

}  // namespace dropscore::http
