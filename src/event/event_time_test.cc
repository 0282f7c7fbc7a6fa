#include "event/event_time.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace dropscore::event {
namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace): literals of dates

TEST(EventTime, ReadsWhatServicesWrite) {
  const auto base = sys_days(2026y / November / 22) + 7h + 58min + 41s;
  EXPECT_EQ(parse_event_time("2026-11-22T07:58:41Z"), base);
  EXPECT_EQ(parse_event_time("2026-11-22t07:58:41z"), base);
  EXPECT_EQ(parse_event_time("2026-11-22T07:58:41.5Z"), base + 500ms);
  EXPECT_EQ(parse_event_time("2026-11-22T07:58:41.1234567Z"), base + 123456700ns);
  EXPECT_EQ(parse_event_time("2026-11-22T07:58:41.123456789123Z"), base + 123456789ns);
  EXPECT_EQ(parse_event_time("2026-11-22T09:58:41+02:00"), base);
  EXPECT_EQ(parse_event_time("2026-11-22T02:28:41-05:30"), base);
  EXPECT_EQ(parse_event_time("2026-12-31T23:59:60Z"), sys_days(2027y / January / 1));
  EXPECT_EQ(parse_event_time("2028-02-29T00:00:00Z"), sys_days(2028y / February / 29));
}

TEST(EventTime, RefusesTheRest) {
  for (const char* text :
       {"", "now", "2026-11-22", "2026-11-22T07:58:41", "2026-11-22 07:58:41Z", "2026-13-22T07:58:41Z",
        "2026-02-29T07:58:41Z", "2026-11-22T24:00:00Z", "2026-11-22T07:60:41Z", "2026-11-22T07:58:61Z",
        "2026-11-22T07:58:41.Z", "2026-11-22T07:58:41+0200", "2026-11-22T07:58:41+25:00", "2026-11-22T07:58:41Zx",
        "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "-026-11-22T07:58:41Z"}) {
    EXPECT_EQ(parse_event_time(text), std::nullopt) << text;
  }
}

TEST(EventTime, AnyTextIsReadOrRefused) {
  rc::check([](const std::string& text) { parse_event_time(text); });
  rc::check([] {
    std::string text = "2026-11-22T07:58:41.123+01:00";
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    parse_event_time(text);
  });
}

}  // namespace
}  // namespace dropscore::event
