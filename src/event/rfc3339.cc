#include "event/rfc3339.h"

#include <charconv>

namespace dropscore::event {
namespace {

using std::chrono::nanoseconds;

/// Takes from the front of a text; failed() once something was not there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// Exactly so many digits, the number within the bounds.
  int number(std::size_t digits, int least, int most) {
    int value = 0;
    const std::string_view piece = text_.substr(0, digits);
    for (const char c : piece) {
      failed_ = failed_ || c < '0' || c > '9';
      value = 10 * value + (c - '0');
    }
    failed_ = failed_ || piece.size() < digits || value < least || value > most;
    text_.remove_prefix(piece.size());
    return value;
  }
  bool take(char upper) {
    const bool there = !text_.empty() && (text_.front() == upper || text_.front() == upper + ('a' - 'A'));
    if (there) text_.remove_prefix(1);
    return there;
  }
  void expect(char mark) { failed_ = failed_ || !take_mark(mark); }
  bool take_mark(char mark) {
    const bool there = text_.starts_with(mark);
    if (there) text_.remove_prefix(1);
    return there;
  }
  /// The digits behind a point.
  nanoseconds fraction() {
    std::int64_t value = 0;
    std::int64_t unit = 100'000'000;
    std::size_t digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++digits, unit /= 10) {
      value += unit * (text_.front() - '0');
      text_.remove_prefix(1);
    }
    failed_ = failed_ || digits == 0;
    return nanoseconds(value);
  }
  bool failed() const { return failed_; }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Scanner in(text);
  const year the_year(in.number(4, 1678, 2261));  // what a clock of nanoseconds can hold
  in.expect('-');
  const month the_month(static_cast<unsigned>(in.number(2, 1, 12)));
  in.expect('-');
  const day the_day(static_cast<unsigned>(in.number(2, 1, 31)));
  if (!in.take('T') || in.failed()) return std::nullopt;
  const year_month_day date(the_year, the_month, the_day);
  if (!date.ok()) return std::nullopt;
  const hours hour(in.number(2, 0, 23));
  in.expect(':');
  const minutes minute(in.number(2, 0, 59));
  in.expect(':');
  const seconds second(in.number(2, 0, 60));
  const nanoseconds part = in.take_mark('.') ? in.fraction() : nanoseconds(0);
  minutes offset(0);
  if (!in.take('Z')) {
    const bool west = in.take_mark('-');
    if (!west) in.expect('+');
    offset = hours(in.number(2, 0, 23));
    in.expect(':');
    offset += minutes(in.number(2, 0, 59));
    if (west) offset = -offset;
  }
  if (in.failed() || !in.at_end()) return std::nullopt;
  return time_point_cast<system_clock::duration>(sys_days(date) + hour + minute + second + part - offset);
}

}  // namespace dropscore::event
