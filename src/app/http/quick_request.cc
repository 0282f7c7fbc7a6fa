#include "app/http/quick_request.h"

#include <array>
#include <charconv>

#include "app/http/negotiation.h"

namespace dropscore::http {
namespace {

constexpr std::string_view line_end = "\r\n";

/// RFC 9110, 5.6.2.
constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> is{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    is[static_cast<unsigned char>(c)] = true;
  }
  return is;
}();

bool visible(char c) { return c > ' ' && c < '\x7f'; }

bool take(std::string_view& in, std::string_view expected) {
  if (!in.starts_with(expected)) return false;
  in.remove_prefix(expected.size());
  return true;
}

/// Fields that were seen; a second one is not for us.
struct Seen {
  bool host = false;
  bool content_length = false;
  bool connection = false;
};

bool once(bool& seen) { return !std::exchange(seen, true); }

bool once(std::string_view& value, std::string_view text) {
  if (value.data() != nullptr || text.empty()) return false;
  value = text;
  return true;
}

bool read_length(std::string_view text, std::optional<std::uint64_t>& length) {
  if (text.empty() || text.size() > 9) return false;
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  length = number;
  return fault == std::errc() && end == text.data() + text.size();
}

/// False where the field changes what the request means in a way that is not for us.
bool take_field(std::string_view name, std::string_view value, RequestHead& head, Seen& seen) {
  const auto is = [name](std::string_view other) { return equal_ignoring_case(name, other); };
  switch (name.size()) {
    case 4: return !is("Host") || once(seen.host);
    case 6:
      if (!is("Accept")) return !is("Expect");
      if (!head.accept.empty() || value.empty()) return false;
      head.accept = value;
      return true;
    case 7: return !is("Upgrade");
    case 9: return !is("X-API-Key") || once(head.api_key, value);
    case 10:
      if (is("tracestate")) {
        if (!head.tracestate.empty() || value.empty()) return false;
        head.tracestate = value;
        return true;
      }
      return !is("Connection") || (once(seen.connection) && equal_ignoring_case(value, "keep-alive"));
    case 11: return !is("traceparent") || once(head.traceparent, value);
    case 12:
      if (is("Content-Type")) {
        if (head.content_type || value.empty()) return false;
        head.content_type = value;
        return true;
      }
      return !is("X-Request-Id") || once(head.request_id, value);
    case 13: return !is("Authorization") || once(head.authorization, value);
    case 14: return !is("Content-Length") || (once(seen.content_length) && read_length(value, head.content_length));
    case 16: return !is("Content-Encoding") && !is("Proxy-Connection");
    case 17: return !is("Transfer-Encoding");
    default: return true;
  }
}

bool read_request_line(std::string_view& in, RequestHead& head) {
  for (const std::string_view method : {"POST ", "GET ", "HEAD "}) {
    if (!take(in, method)) continue;
    head.method = method.substr(0, method.size() - 1);
    std::size_t end = 0;
    while (end < in.size() && visible(in[end])) ++end;
    head.target = in.substr(0, end);
    in.remove_prefix(end);
    return head.target.starts_with('/') && take(in, " HTTP/1.1\r\n");
  }
  return false;
}

bool read_field(std::string_view& in, RequestHead& head, Seen& seen) {
  std::size_t at = 0;
  while (at < in.size() && token_characters[static_cast<unsigned char>(in[at])]) ++at;
  if (at == 0 || at == in.size() || in[at] != ':') return false;
  const std::string_view name = in.substr(0, at);
  in.remove_prefix(at + 1);
  at = 0;
  while (at < in.size() && (visible(in[at]) || in[at] == ' ')) ++at;
  const std::string_view value = trimmed(in.substr(0, at));
  in.remove_prefix(at);
  return take(in, line_end) && take_field(name, value, head, seen);
}

}  // namespace

bool read_quick_request(std::string_view in, const QuickLimits& limits, QuickRequest& request) {
  request = QuickRequest{};
  RequestHead& head = request.head;
  Seen seen;
  const std::string_view all = in;
  if (!read_request_line(in, head)) return false;
  while (!take(in, line_end)) {
    if (!read_field(in, head, seen)) return false;
  }
  const std::size_t header_bytes = all.size() - in.size();
  if (!seen.host || header_bytes > limits.max_header_bytes) return false;
  if ((head.method == "POST") != seen.content_length) return false;
  const std::uint64_t length = head.content_length.value_or(0);
  if (length > limits.max_body_bytes || length > in.size()) return false;
  request.body = in.substr(0, static_cast<std::size_t>(length));
  request.bytes = header_bytes + request.body.size();
  return true;
}

}  // namespace dropscore::http
