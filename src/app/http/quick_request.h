// The shortest way from bytes to a request: for one that lies in the input buffer whole and holds nothing unusual, as
// nearly all do. It reads a subset of what RequestParser reads, and reads it alike (quick_request_test.cc holds one
// against the other); whatever it does not take, broken or unusual, is RequestParser's. Why there are two:
// docs/decisions/0015-http-hot-path.md.
#pragma once

#include <cstddef>
#include <string_view>

#include "app/http/request_parser.h"

namespace dropscore::http {

/// The views are into the bytes it was read from.
struct QuickRequest {
  RequestHead head;
  std::string_view body;
  std::size_t bytes = 0;  ///< header and body; what follows is the next request
};

struct QuickLimits {
  std::size_t max_header_bytes = 0;
  std::size_t max_body_bytes = 0;
};

/// GET or HEAD without a body, or POST with a Content-Length, of HTTP/1.1, in origin form, to be kept alive, every
/// field of those that matter at most once, from the front of `in`. False for all else, also where bytes are missing;
/// `request` then means nothing. Does not allocate, but for an Accept of more than 15 bytes.
bool read_quick_request(std::string_view in, const QuickLimits& limits, QuickRequest& request);

}  // namespace dropscore::http
