// Percent coding, and reading a body whole.
#include <array>

#include "base/limits.h"
#include "net/http_client.h"

namespace dropscore::net {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string percent_encoded(std::string_view text, std::string_view keep) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.push_back('%');
      encoded.push_back(digits[byte >> 4U]);
      encoded.push_back(digits[byte & 15U]);
    }
  }
  return encoded;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded.push_back(text[at]);
      continue;
    }
    const int high = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hex_value(text[at + 2]) : -1;
    if (high < 0 || low < 0) return fail(ErrorKind::reject, "a '%' stands without two hexadecimal digits");
    decoded.push_back(static_cast<char>(high * 16 + low));
    at += 2;
  }
  return decoded;
}

Result<std::string> read_body(Exchange& exchange, std::size_t max_bytes) {
  std::string body;
  std::array<char, 16 * limits::kib> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  for (;;) {
    DROPSCORE_TRY(const std::size_t got, exchange.read(chunk));
    if (got == 0) return body;
    if (got > max_bytes - body.size()) return fail(ErrorKind::too_large, "the answer is larger than was expected");
    body.append(chunk.data(), got);
  }
}

}  // namespace dropscore::net
