// HTTP dates (RFC 9110, 5.6.7), whatever the locale.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dropscore::net {

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::chrono::system_clock::time_point time);

/// That form, RFC 850's "Sunday, 06-Nov-94 08:49:37 GMT" (a year that would be over 50 years after `now` is of the
/// century before) or asctime's "Sun Nov  6 08:49:37 1994". Empty for anything else; the day of the week is not checked
/// against the date, and a year that the clock does not reach (before 1700, after 2261) is the last that it does.
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text,
                                                                     std::chrono::system_clock::time_point now);

}  // namespace dropscore::net
