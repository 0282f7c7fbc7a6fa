// The text of an answer's head.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/http/problem.h"

namespace dropscore::http {

enum class Framing : std::uint8_t {
  length,    ///< Content-Length
  chunked,   ///< HTTP/1.1, length unknown
  to_close,  ///< HTTP/1.0, length unknown: the end of the connection is the end of the answer
};

struct ResponseHead {
  unsigned status = 200;
  std::string_view content_type;
  Framing framing = Framing::length;
  std::uint64_t content_length = 0;
  bool http_1_1 = true;
  bool keep_alive = true;
  std::string_view request_id;
  std::string_view model_version;  ///< of the model that was asked; empty where none was
  std::span<const Header> headers = {};
};

/// REQUIRES: no value holds a line break.
void append_head(std::string& out, const ResponseHead& head);

/// One chunk of a chunked answer. REQUIRES: !bytes.empty(), since an empty chunk is the end.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::time_t time);

}  // namespace dropscore::http
