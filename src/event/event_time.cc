#include "event/event_time.h"

#include <cstdint>

namespace dropscore::event {
namespace {

namespace chrono = std::chrono;

/// Reads `text` from the front; once something does not fit, nothing does.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// So many digits, no more, no less.
  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = 10 * value + digit();
    return value;
  }
  void one_of(std::string_view characters) {
    if (!next_is(characters)) return fail();
    rest_.remove_prefix(1);
  }
  bool next_is(std::string_view characters) const {
    return !rest_.empty() && characters.find(rest_.front()) != std::string_view::npos;
  }
  /// Digits after the point, as nanoseconds.
  chrono::nanoseconds fraction() {
    std::int64_t value = 0;
    std::int64_t unit = 100'000'000;
    do {
      value += unit * digit();
      unit /= 10;
    } while (next_is("0123456789"));
    return chrono::nanoseconds(value);
  }
  bool fits() const { return fits_; }
  bool ended() const { return rest_.empty(); }

 private:
  int digit() {
    if (!next_is("0123456789")) {
      fail();
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }
  void fail() {
    fits_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool fits_ = true;
};

/// "Z" or "+01:00".
chrono::minutes offset(Cursor& cursor) {
  if (cursor.next_is("Zz")) {
    cursor.one_of("Zz");
    return chrono::minutes(0);
  }
  const bool behind = cursor.next_is("-");
  cursor.one_of("+-");
  const int hours = cursor.number(2);
  cursor.one_of(":");
  const chrono::minutes ahead = chrono::hours(hours) + chrono::minutes(cursor.number(2));
  return behind ? -ahead : ahead;
}

}  // namespace

std::optional<chrono::system_clock::time_point> parse_event_time(std::string_view text) {
  Cursor cursor(text);
  const chrono::year year(cursor.number(4));
  cursor.one_of("-");
  const chrono::month month(static_cast<unsigned>(cursor.number(2)));
  cursor.one_of("-");
  const chrono::day day(static_cast<unsigned>(cursor.number(2)));
  cursor.one_of("Tt");
  const int hour = cursor.number(2);
  cursor.one_of(":");
  const int minute = cursor.number(2);
  cursor.one_of(":");
  const int second = cursor.number(2);
  chrono::nanoseconds fraction{0};
  if (cursor.next_is(".")) {
    cursor.one_of(".");
    fraction = cursor.fraction();
  }
  const chrono::minutes ahead = offset(cursor);
  const chrono::year_month_day date(year, month, day);
  const bool in_range = date.ok() && year >= chrono::year(1970) && year <= chrono::year(2200) && hour < 24 &&
                        minute < 60 && second <= 60 && ahead < chrono::hours(24) && ahead > -chrono::hours(24);
  if (!cursor.fits() || !cursor.ended() || !in_range) return std::nullopt;
  const auto time = chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
  return chrono::time_point_cast<chrono::system_clock::duration>(time + fraction - ahead);
}

}  // namespace dropscore::event
