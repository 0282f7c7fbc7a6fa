#include "app/http/response.h"

#include <array>

#include <fmt/format.h>

#ifndef DROPSCORE_VERSION
#define DROPSCORE_VERSION "unversioned"
#endif

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

std::string text_of(const ResponseHead& head) {
  std::string out;
  out.reserve(320);
  // The version is the server's own, whatever the request's: RFC 9112, 2.3.
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nServer: dropscore/{}\r\nDate: {}\r\nContent-Type: {}\r\n",
                 head.status, reason_phrase(head.status), DROPSCORE_VERSION, date_now(), head.content_type);
  switch (head.framing) {
    case Framing::length: fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", head.content_length); break;
    case Framing::chunked: out += "Transfer-Encoding: chunked\r\n"; break;
    case Framing::to_close: break;
  }
  if (!head.request_id.empty()) fmt::format_to(std::back_inserter(out), "X-Request-Id: {}\r\n", head.request_id);
  for (const Header& header : head.headers) {
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", header.name, header.value);
  }
  if (!head.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!head.http_1_1) {
    out += "Connection: keep-alive\r\n";  // what HTTP/1.0 does not take for granted
  }
  out += "\r\n";
  return out;
}

void append_chunk(std::string& out, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out.append(bytes);
  out += "\r\n";
}

}  // namespace dropscore::http
