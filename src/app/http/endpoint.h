// A path that an adapter adds to the server: a webhook, a function's invocation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/request_parser.h"
#include "app/http/response.h"

namespace dropscore::http {

struct EndpointRequest {
  const RequestParser& parser;  ///< head(), field()
  std::string_view body;        ///< whole, of at most Endpoint::max_body_bytes; or what the endpoint's filter kept
};

struct EndpointReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers;  ///< REQUIRES: no value holds a line break, here and in content_type
};

/// Takes a body as it comes and keeps what is wanted of it, for bodies that need not be in memory whole. Of one
/// request, on one thread, which answers other requests too: it must not block.
class BodyFilter {
 public:
  BodyFilter() = default;
  BodyFilter(const BodyFilter&) = delete;
  BodyFilter& operator=(const BodyFilter&) = delete;
  virtual ~BodyFilter() = default;

  /// May lengthen `kept` by at most bytes.size() + 16, or shorten it.
  virtual void take(std::string_view bytes, std::string& kept) = 0;
};

/// Who may ask, where the server has keys.
enum class Access : std::uint8_t {
  key,                 ///< who brings one
  key_but_to_options,  ///< likewise, but an OPTIONS request needs none: a handshake before keys are sent
  open,                ///< everybody: probes
};

struct Endpoint {
  std::string path;   ///< "/events"
  std::string allow;  ///< methods: "POST, OPTIONS"
  /// A longer one is answered with 413. Without a filter, at most ServerOptions::max_json_body_bytes.
  std::uint64_t max_body_bytes = 0;
  /// Called on one of the server's endpoint threads, several at a time; may block. Must not throw. A call that outlasts
  /// Server::stop() is left to itself: it must own (share) what it uses. The thread is in the request's span.
  std::function<EndpointReply(const EndpointRequest&)> answer;
  /// `answer` never blocks: it is called where the request was read, however many others are blocked.
  bool immediate = false;
  Access access = Access::key;
  std::function<std::unique_ptr<BodyFilter>()> filter = {};  ///< may be empty: the body is kept whole
};

}  // namespace dropscore::http
