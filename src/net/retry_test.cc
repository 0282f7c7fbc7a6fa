#include "net/retry.h"

#include <cmath>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/http_date.h"

namespace dropscore::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

/// A response that is nothing but headers.
class Headers : public Exchange {
 public:
  explicit Headers(std::vector<Header> headers) : headers_(std::move(headers)) {}
  int status() const override { return 503; }
  std::optional<std::string_view> header(std::string_view name) const override {
    for (const Header& header : headers_) {
      if (header.name == name) return header.value;
    }
    return std::nullopt;
  }
  const std::vector<Header>& headers() const override { return headers_; }
  Result<std::size_t> read(std::span<char>) override { return 0U; }

 private:
  std::vector<Header> headers_;
};

const system_clock::time_point day_of_the_rfc = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) +
                                                std::chrono::hours(8) + std::chrono::minutes(49) + seconds(37);

std::optional<milliseconds> asked(std::string name, std::string value) {
  return retry_after(Headers({{std::move(name), std::move(value)}}), day_of_the_rfc - seconds(90));
}

TEST(RetryAfter, EveryForm) {
  EXPECT_EQ(asked("retry-after-ms", "250"), milliseconds(250));
  EXPECT_EQ(asked("x-ms-retry-after-ms", "1"), milliseconds(1));
  EXPECT_EQ(asked("retry-after", "7"), seconds(7));
  EXPECT_EQ(asked("retry-after", "0"), seconds(0));
  EXPECT_EQ(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), seconds(90));
  EXPECT_EQ(asked("retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"), seconds(90));
  EXPECT_EQ(asked("retry-after", "Sun Nov  6 08:49:37 1994"), seconds(90));
  EXPECT_EQ(asked("retry-after", "Sun, 06 Nov 1994 08:47:37 GMT"), seconds(0)) << "has passed";
  EXPECT_EQ(asked("retry-after", "99999999999999999999999"), std::chrono::hours(24)) << "a limit on everything";
  EXPECT_EQ(asked("other", "7"), std::nullopt);
  for (const char* unreadable :
       {"", " ", "7 ", "-1", "+1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994 ", "Day Nov 06 08:49:37 1994"}) {
    EXPECT_EQ(asked("retry-after", unreadable), std::nullopt) << '"' << unreadable << '"';
  }
}

TEST(RetryAfter, TheFirstThatCanBeRead) {
  const Headers both({{"retry-after", "5"}, {"x-ms-retry-after-ms", "20"}});
  EXPECT_EQ(retry_after(both, day_of_the_rfc), milliseconds(20));
  const Headers broken({{"retry-after", "5"}, {"x-ms-retry-after-ms", "soon"}});
  EXPECT_EQ(retry_after(broken, day_of_the_rfc), seconds(5));
}

TEST(HttpDate, ThereAndBack) {
  EXPECT_EQ(http_date(day_of_the_rfc), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_TRUE(rc::check("parsing undoes writing", [] {
    const auto time = system_clock::time_point(seconds(*rc::gen::inRange<std::int64_t>(0, 9'214'646'400)));
    RC_ASSERT(parse_http_date(http_date(time), time) == time);
  }));
  EXPECT_GT(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", day_of_the_rfc),
            std::chrono::sys_days(std::chrono::year(2200) / 1 / 1))
      << "the service's way to say never";
  EXPECT_TRUE(rc::check("no text is too strange", [](const std::string& text) {
    parse_http_date(text, day_of_the_rfc);
    parse_http_date("Sun, 06 " + text, day_of_the_rfc);
    parse_http_date("Sun " + text, day_of_the_rfc);
  }));
}

TEST(HttpDate, TwoDigitsOfAYear) {
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  const auto year_of = [&](const char* text) {
    return static_cast<int>(
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*parse_http_date(text, now))).year());
  };
  EXPECT_EQ(year_of("Monday, 01-Jan-27 00:00:00 GMT"), 2027);
  EXPECT_EQ(year_of("Monday, 01-Jan-76 00:00:00 GMT"), 2076);
  EXPECT_EQ(year_of("Monday, 01-Jan-77 00:00:00 GMT"), 1977) << "never over 50 years ahead";
}

TEST(Retry, TransientStatuses) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_transient(status)) << status;
  for (const int status : {200, 206, 304, 400, 401, 403, 404, 409, 412, 413, 416, 501, 505}) {
    EXPECT_FALSE(is_transient(status)) << status;
  }
}

TEST(Retry, DelaysDoubleWithinTheirBounds) {
  const RetryPolicy policy{6, milliseconds(100), milliseconds(1000), seconds(100)};
  for (const double random : {0.0, 0.5, 0.999999}) {
    Retry retry(policy, Deadline::never(), {}, [&] { return random; });
    EXPECT_EQ(retry.tries(), 1);
    EXPECT_EQ(retry.next_delay({}), milliseconds(std::llround(100 * (0.8 + 0.5 * random))));
    EXPECT_EQ(retry.next_delay(milliseconds(7)), milliseconds(7)) << "what the server asks for";
    EXPECT_EQ(retry.next_delay(seconds(500)), milliseconds(1000)) << "but not more than the most";
  }
}

TEST(Retry, CountsTriesAndCutsDelays) {
  const RetryPolicy policy{7, milliseconds(1), milliseconds(8), seconds(100)};
  Retry retry(policy, Deadline::never(), {}, [] { return 0.4; });  // times 1.0
  for (const int delay_ms : {1, 2, 4, 8, 8, 8}) {
    EXPECT_EQ(retry.next_delay({}), milliseconds(delay_ms));
    EXPECT_TRUE(retry.wait({}));
  }
  EXPECT_EQ(retry.tries(), 7);
  EXPECT_FALSE(retry.wait({}));
  EXPECT_FALSE(retry.wait(milliseconds(0)));
  EXPECT_EQ(retry.tries(), 7);
}

TEST(Retry, NeverWaitsPastTheDeadline) {
  const RetryPolicy policy{10, seconds(10), seconds(100), seconds(100)};
  const auto start = std::chrono::steady_clock::now();
  Retry short_of_time(policy, Deadline::in(seconds(4)));
  EXPECT_FALSE(short_of_time.wait({}));
  EXPECT_FALSE(short_of_time.wait(seconds(5)));
  EXPECT_TRUE(short_of_time.wait(milliseconds(5)));
  Retry short_of_budget({10, milliseconds(10), seconds(10), seconds(4)}, Deadline::never());
  EXPECT_FALSE(short_of_budget.wait(seconds(5)));
  EXPECT_TRUE(short_of_budget.wait({}));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(4));
}

TEST(Retry, AHurryEndsALongWaitAndLeavesShortOnes) {
  const RetryPolicy policy{10, milliseconds(1), seconds(100), seconds(1000)};
  HttpClient client;
  Retry retry(policy, Deadline::never(), client.hurried());
  const auto start = std::chrono::steady_clock::now();
  std::jthread hurrying([&client] {
    std::this_thread::sleep_for(milliseconds(50));
    client.hurry();
  });
  EXPECT_FALSE(retry.wait(seconds(60))) << "under way";
  EXPECT_FALSE(retry.wait(seconds(60))) << "not even begun";
  EXPECT_EQ(retry.tries(), 1);
  EXPECT_TRUE(retry.wait(milliseconds(5)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20));
}

TEST(Retry, PropertyOfDelays) {
  EXPECT_TRUE(rc::check("within the bounds of Azure's SDK", [] {
    const int tries_before = *rc::gen::inRange(0, 6);
    const RetryPolicy policy;
    RetryPolicy fast = policy;
    fast.max_delay = milliseconds(60'000);
    Retry retry(fast, Deadline::never());
    for (int i = 0; i < tries_before && i < policy.max_tries - 1; ++i) retry.wait(milliseconds(0));
    const auto delay = retry.next_delay({});
    if (tries_before >= policy.max_tries - 1) {
      RC_ASSERT(!delay);
    } else {
      RC_ASSERT(*delay >= milliseconds(640 << tries_before));
      RC_ASSERT(*delay <= milliseconds(1040 << tries_before));
    }
  }));
}

TEST(RetryPolicy, Validated) {
  EXPECT_TRUE(RetryPolicy{}.validate());
  EXPECT_EQ((RetryPolicy{0, milliseconds(1), milliseconds(1), seconds(1)}.validate().error().kind), ErrorKind::misuse);
  EXPECT_FALSE((RetryPolicy{1, milliseconds(-1), milliseconds(1), seconds(1)}.validate()));
  EXPECT_FALSE((RetryPolicy{1, milliseconds(2), milliseconds(1), seconds(1)}.validate()));
  EXPECT_FALSE((RetryPolicy{1, milliseconds(1), milliseconds(1), seconds(0)}.validate()));
}

}  // namespace
}  // namespace dropscore::net
