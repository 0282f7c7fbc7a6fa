#include "event/rfc3339.h"

#include <string>

#include <fmt/chrono.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dropscore::event {
namespace {

using namespace std::chrono;

sys_time<nanoseconds> at(std::int64_t seconds_since_1970, std::int64_t nanos = 0) {
  return sys_time<nanoseconds>(seconds(seconds_since_1970) + nanoseconds(nanos));
}

TEST(Rfc3339, ReadsWhatEventsHold) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), at(0));
  EXPECT_EQ(parse_rfc3339("2026-06-26T18:41:00.9584103Z"), at(1'782'499'260, 958'410'300));
  EXPECT_EQ(parse_rfc3339("2026-06-26t18:41:00z"), at(1'782'499'260));
  EXPECT_EQ(parse_rfc3339("2026-06-26T20:41:00+02:00"), at(1'782'499'260));
  EXPECT_EQ(parse_rfc3339("2026-06-26T11:11:00-07:30"), at(1'782'499'260));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), at(1'709'164'800));
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), at(1'483'228'800));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.1234567891234Z"), at(0, 123'456'789));
}

TEST(Rfc3339, RefusesTheRest) {
  for (const char* bad :
       {"", "2026-06-26", "2026-06-26T18:41:00", "2026-06-26 18:41:00Z", "2026-13-26T18:41:00Z", "2026-02-29T00:00:00Z",
        "2026-06-26T24:00:00Z", "2026-06-26T18:60:00Z", "2026-06-26T18:41:61Z", "2026-06-26T18:41:00.Z",
        "2026-06-26T18:41:00Zx", "2026-06-26T18:41:00+0200", "2026-06-26T18:41:00+24:00", "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z", "2O26-06-26T18:41:00Z", "2026-6-26T18:41:00Z", "2026-06-26T18:41:00,5Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

RC_GTEST_PROP(Rfc3339Property, ReadsWhatFmtWrites, (std::uint32_t time)) {
  const std::string text = fmt::format("{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(time)));
  RC_ASSERT(parse_rfc3339(text) == at(time));
}

RC_GTEST_PROP(Rfc3339Property, AnyTextIsReadWithoutFault, (const std::string& noise, std::uint8_t place)) {
  parse_rfc3339(noise);
  std::string text = "2026-06-26T18:41:00.958+02:00";
  parse_rfc3339(text.insert(place % text.size(), noise));
}

}  // namespace
}  // namespace dropscore::event
