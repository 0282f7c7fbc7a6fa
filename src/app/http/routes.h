// Which request is answered how, decided from its header alone: before a byte of the body is read, or asked for with
// 100 Continue.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/http/negotiation.h"
#include "app/http/options.h"
#include "app/http/problem.h"
#include "app/http/request_parser.h"

namespace dropscore::http {

enum class Action : std::uint8_t { health, score_json, score_csv };

struct Plan {
  Action action = Action::health;
  MediaType answer = MediaType::json;
  std::uint64_t max_body_bytes = 0;  ///< of a body without a length; one with a length was held against it already
};

tl::expected<Plan, Problem> plan(const RequestHead& head, const ServerOptions& options);

/// The target's path as logs and metrics call it: one of the known paths, or "other". Never the client's own text.
std::string_view path_template(std::string_view target);

/// What one request may not be longer than, said the same way before and while it is read.
Problem body_too_large(std::uint64_t limit_bytes);

/// The client's X-Request-Id where it is 1 to 128 printable ASCII characters (it goes into logs and back out),
/// otherwise a new one.
std::string request_id(std::string_view asked_for);

}  // namespace dropscore::http
