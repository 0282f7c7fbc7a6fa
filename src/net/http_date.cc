#include "net/http_date.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace dropscore::net {
namespace {

using std::chrono::system_clock;

constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr int first_year = 1700;
constexpr int last_year = 2261;

/// Takes a text apart from its front; once something does not fit, `ok` stays false.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  void literal(std::string_view wanted) {
    if (rest_.starts_with(wanted)) {
      rest_.remove_prefix(wanted.size());
    } else {
      ok_ = false;
    }
  }
  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = i < rest_.size() ? rest_[i] : 'x';
      if (c < '0' || c > '9') {
        ok_ = false;
        return 0;
      }
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  /// asctime's day of the month: two places, a space for a leading zero.
  int padded() {
    if (!rest_.starts_with(' ')) return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }
  void day_name(bool is_long) {
    for (const std::string_view day : days) {
      const std::string_view name = is_long ? day : day.substr(0, 3);
      if (rest_.starts_with(name)) return rest_.remove_prefix(name.size());
    }
    ok_ = false;
  }
  int month() {
    const auto found = std::find(months.begin(), months.end(), rest_.substr(0, 3));
    if (found == months.end()) {
      ok_ = false;
      return 0;
    }
    rest_.remove_prefix(3);
    return static_cast<int>(found - months.begin()) + 1;
  }
  std::chrono::seconds time_of_day() {
    const int hours = digits(2);
    literal(":");
    const int minutes = digits(2);
    literal(":");
    const int seconds = digits(2);
    if (hours > 23 || minutes > 59 || seconds > 60) ok_ = false;  // 60: a leap second
    return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  }
  bool whole() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<system_clock::time_point> on(int year, int month, int day, std::chrono::seconds time_of_day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  // The clock counts nanoseconds in 64 bits.
  if (year < first_year) return std::chrono::sys_days(std::chrono::year(first_year) / 1 / 1);
  if (year > last_year) return std::chrono::sys_days(std::chrono::year(last_year) / 12 / 31);
  return std::chrono::sys_days(date) + time_of_day;
}

int full_year(int two_digits, system_clock::time_point now) {
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = static_cast<int>(today.year());
  const int year = this_year / 100 * 100 + two_digits;
  return year > this_year + 50 ? year - 100 : year;
}

}  // namespace

std::string http_date(system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     days.at(std::chrono::weekday(day).c_encoding()).substr(0, 3), static_cast<unsigned>(date.day()),
                     months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<system_clock::time_point> parse_http_date(std::string_view text, system_clock::time_point now) {
  const std::size_t comma = text.find(',');
  Parts parts(text);
  int year = 0;
  int month = 0;
  int day = 0;
  std::chrono::seconds time{};
  if (comma == 3) {
    parts.day_name(false);
    parts.literal(", ");
    day = parts.digits(2);
    parts.literal(" ");
    month = parts.month();
    parts.literal(" ");
    year = parts.digits(4);
    parts.literal(" ");
    time = parts.time_of_day();
    parts.literal(" GMT");
  } else if (comma != std::string_view::npos) {
    parts.day_name(true);
    parts.literal(", ");
    day = parts.digits(2);
    parts.literal("-");
    month = parts.month();
    parts.literal("-");
    year = full_year(parts.digits(2), now);
    parts.literal(" ");
    time = parts.time_of_day();
    parts.literal(" GMT");
  } else {
    parts.day_name(false);
    parts.literal(" ");
    month = parts.month();
    parts.literal(" ");
    day = parts.padded();
    parts.literal(" ");
    time = parts.time_of_day();
    parts.literal(" ");
    year = parts.digits(4);
  }
  if (!parts.whole()) return std::nullopt;
  return on(year, month, day, time);
}

}  // namespace dropscore::net
