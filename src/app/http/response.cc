#include "app/http/response.h"

#include <array>

#include <fmt/format.h>

#include "base/build_info.h"

namespace dropscore::http {
namespace {

/// Made anew once a second, for each thread.
const std::string& date_now() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    text = http_date(now);
  }
  return text;
}

template <class... Text>
void append(std::string& out, const Text&... texts) {
  (out.append(std::string_view(texts)), ...);
}

}  // namespace

std::string http_date(std::time_t time) {
  // Not strftime: its names of days follow the locale.
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days.at(static_cast<std::size_t>(parts.tm_wday)),
                     parts.tm_mday, months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

void append_head(std::string& out, const ResponseHead& head) {
  // The version is the server's own, whatever the request's: RFC 9112, 2.3.
  append(out, "HTTP/1.1 ", fmt::format_int(head.status).c_str(), " ", reason_phrase(head.status),
         "\r\nServer: dropscore/", build_info::version, "\r\nDate: ", date_now(),
         "\r\nContent-Type: ", head.content_type, "\r\n");
  switch (head.framing) {
    case Framing::length: append(out, "Content-Length: ", fmt::format_int(head.content_length).c_str(), "\r\n"); break;
    case Framing::chunked: out += "Transfer-Encoding: chunked\r\n"; break;
    case Framing::to_close: break;
  }
  if (!head.request_id.empty()) append(out, "X-Request-Id: ", head.request_id, "\r\n");
  if (!head.model_version.empty()) append(out, "X-Model-Version: ", head.model_version, "\r\n");
  for (const Header& header : head.headers) append(out, header.name, ": ", header.value, "\r\n");
  if (!head.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!head.http_1_1) {
    out += "Connection: keep-alive\r\n";  // what HTTP/1.0 does not take for granted
  }
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out.append(bytes);
  out += "\r\n";
}

}  // namespace dropscore::http
