// Durations for a log: milliseconds, to the microsecond; further digits say nothing, and a double has seventeen.
#pragma once

#include <chrono>
#include <cmath>

namespace dropscore {

inline double logged_ms(std::chrono::duration<double> took) { return std::round(1e6 * took.count()) / 1e3; }

}  // namespace dropscore
