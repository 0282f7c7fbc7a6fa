// A time budget that is passed down: whoever waits, tries again or hands on waits no longer than what is left of it.
#pragma once

#include <algorithm>
#include <chrono>

namespace dropscore {

/// A point in time, or never. A plain value.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline never() { return Deadline(Clock::time_point::max()); }
  static Deadline in(std::chrono::milliseconds budget) { return Deadline(Clock::now() + budget); }

  bool passed() const { return at_ != Clock::time_point::max() && Clock::now() >= at_; }
  /// What is left, at least 0 and at most `most`.
  std::chrono::milliseconds left(std::chrono::milliseconds most) const {
    if (at_ == Clock::time_point::max()) return most;
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - Clock::now());
    return std::clamp(rest, std::chrono::milliseconds(0), most);
  }
  /// The earlier of this and one `budget` from now.
  Deadline within(std::chrono::milliseconds budget) const { return Deadline(std::min(at_, Clock::now() + budget)); }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

}  // namespace dropscore
