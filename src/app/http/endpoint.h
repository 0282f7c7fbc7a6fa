// A path that an adapter adds to the server: a webhook, a function's invocation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/request_parser.h"
#include "app/http/response.h"

namespace dropscore::http {

struct EndpointRequest {
  const RequestHead& head;
  std::string_view body;  ///< whole; of at most Endpoint::max_body_bytes
};

struct EndpointReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers;
};

struct Endpoint {
  std::string path;   ///< "/events"
  std::string allow;  ///< methods: "POST, OPTIONS"
  std::uint64_t max_body_bytes = 0;
  /// Called on one of the server's working threads, several at a time; may block. Must not throw.
  std::function<EndpointReply(const EndpointRequest&)> answer;
};

}  // namespace dropscore::http
