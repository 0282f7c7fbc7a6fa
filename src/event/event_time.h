// RFC 3339's times, as events carry them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace dropscore::event {

/// "2026-11-22T07:58:41.1234567Z", "2026-11-22t07:58:41+01:00"; digits beyond the clock's are cut, a leap second is the
/// next minute's first. Empty for anything else, and for a year before 1970 or after 2200.
std::optional<std::chrono::system_clock::time_point> parse_event_time(std::string_view text);

}  // namespace dropscore::event
