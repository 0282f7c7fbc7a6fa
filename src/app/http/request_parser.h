// Bytes of a connection in, one request out: its header, then its body piece by piece. Beast reads the grammar; what
// Beast lets pass and a server behind a proxy must not (two framings, codings it cannot undo, a missing Host) is
// refused here. Does no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/http/problem.h"

namespace dropscore::http {

/// The views live as long as the parser.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  std::optional<std::string_view> content_type;
  std::string_view content_encoding;
  std::string_view expect;
  std::string_view request_id;
  std::string_view api_key;        ///< X-API-Key; empty where it comes twice: as if none came
  std::string_view authorization;  ///< likewise
  std::string_view traceparent;    ///< likewise
  std::string accept;              ///< several are joined by commas
  std::string tracestate;          ///< likewise

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Of one request; make a new one for the next. Not thread-safe, but for its const methods once the body was read.
class RequestParser {
 public:
  /// `max_header_bytes` bounds request line and fields together.
  explicit RequestParser(std::size_t max_header_bytes);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Head : std::uint8_t { need_bytes, ready, refused };
  /// Takes what it understands from the front of `in`; the rest is to be offered again with more behind it.
  /// `refused`: problem() says why, and the connection's framing is lost.
  Head read_head(std::string_view& in);
  /// True until read_head() has taken a byte.
  bool untouched() const;
  /// REQUIRES: read_head() said `ready`.
  const RequestHead& head() const;
  /// Any other field's value, its name in any case; empty where there is none, the first of several. As head().
  std::string_view field(std::string_view name) const;

  enum class Body : std::uint8_t {
    bytes,       ///< some were put into `out`
    need_bytes,  ///< nothing more in `in`
    end,         ///< the request is complete; what is left in `in` is the next one's
    refused,     ///< problem() says why, and the connection's framing is lost
  };
  /// Moves body bytes from the front of `in` to the front of `out`, and says how many in `count`.
  /// REQUIRES: read_head() said `ready`; !out.empty().
  Body read_body(std::string_view& in, std::span<char> out, std::size_t& count);

  const Problem& problem() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::http
