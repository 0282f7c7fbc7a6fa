// An event's time as it stands in its JSON: RFC 3339's date-time. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace dropscore::event {

/// "2026-06-26T18:41:00.9584103Z", with any offset and any number of digits of a second; what is finer than the clock
/// is cut off. A leap second counts as the second after it. Empty where it is none.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace dropscore::event
