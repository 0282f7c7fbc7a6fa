// Tokens: reading one, and keeping one.
#include "azure/token_cache.h"

#include <atomic>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/token_source.h"

namespace dropscore::azure {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const auto now = std::chrono::system_clock::time_point(seconds(1'000'000'000));

TEST(ParseToken, EveryFormOfItsLifetime) {
  for (const char* lifetime :
       {R"("expires_in":3600)", R"("expires_in":"3600")", R"("expires_on":1000003600)", R"("expires_on":"1000003600")",
        R"("expires_in":"3600","expires_on":"1")", R"("expires_in":"","expires_on":1000003600)"}) {
    const auto token =
        parse_token(std::string(R"({"token_type":"Bearer","access_token":"eyJ0.a-b_c",)") + lifetime + "}", now);
    ASSERT_TRUE(token) << lifetime;
    EXPECT_EQ(token->value, "eyJ0.a-b_c");
    EXPECT_EQ(token->lifetime, seconds(3600));
  }
}

TEST(ParseToken, WhatIsNone) {
  for (const char* json :
       {"", "[]", "hunter2", R"({"expires_in":1})", R"({"access_token":"","expires_in":1})",
        R"({"access_token":"hunter2 x","expires_in":1})", R"({"access_token":"hunter2\r\nX: y","expires_in":1})",
        R"({"access_token":"hunter2"})", R"({"access_token":"hunter2","expires_in":0})",
        R"({"access_token":"hunter2","expires_in":"soon"})", R"({"access_token":"hunter2","expires_on":999999999})",
        R"({"access_token":"hunter2","expires_on":"9/14/2017 12:00:00 AM +00:00"})",
        R"({"access_token":"hunter2","expires_on":-9223372036854775808})",
        R"({"access_token":["hunter2"],"expires_in":1})"}) {
    const auto token = parse_token(json, now);
    ASSERT_FALSE(token) << json;
    EXPECT_EQ(token.error().kind, ErrorKind::try_later);
    EXPECT_THAT(token.error().detail.text, Not(HasSubstr("hunter2")));
  }
}

TEST(RefusalCode, OnlyKnownWords) {
  EXPECT_EQ(refusal_code(R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid secret hunter2"})"),
            "invalid_client AADSTS7000215");
  EXPECT_EQ(refusal_code(R"({"error":"hunter2","error_description":"AADSTShunter2"})"), "");
  EXPECT_EQ(refusal_code(R"({"error":"hunter2","error_description":"AADSTS1234567890123"})"), "");
  EXPECT_EQ(refusal_code(R"({"error":{"code":"hunter2"}})"), "");
  EXPECT_EQ(refusal_code("hunter2"), "");
}

/// Tokens "token-1", "token-2", ..., and whatever else a test wants.
class FakeSource : public TokenSource {
 public:
  Result<Token> fetch(const Deadline&) override {
    EXPECT_FALSE(busy_.exchange(true)) << "two at once";
    ++started;
    std::this_thread::sleep_for(takes);
    while (held) std::this_thread::sleep_for(milliseconds(1));
    const int number = ++fetches;
    busy_ = false;
    if (fails) return fail(ErrorKind::try_later, "no token from a fake");
    return Token{"token-" + std::to_string(number), lifetime};
  }
  std::string_view kind() const override { return "fake"; }
  bool renews_at_half() const override { return at_half; }

  std::atomic<int> started{0};
  std::atomic<int> fetches{0};  ///< that have ended
  std::atomic<bool> fails{false};
  milliseconds takes{0};
  std::atomic<bool> held{false};  ///< a fetch waits as long as it is
  seconds lifetime{3600};
  bool at_half = false;

 private:
  std::atomic<bool> busy_{false};
};

class TokenCacheTest : public ::testing::Test {
 protected:
  TokenCacheTest() {
    auto source = std::make_unique<FakeSource>();
    source_ = source.get();
    cache_ = std::make_unique<TokenCache>(
        std::move(source), [this] { return TokenCache::Clock::time_point(seconds(1'000) + time_.load()); });
  }
  std::string authorization(const Deadline& deadline = Deadline::never()) {
    Draft draft;
    const Status done = cache_->authorize(draft, deadline);
    return done ? draft.headers.at(0).name + ": " + draft.headers.at(0).value : done.error().detail.text;
  }

  void wait_for_start(int number) const {
    while (source_->started < number) std::this_thread::sleep_for(milliseconds(1));
  }

  FakeSource* source_;
  std::atomic<seconds> time_{seconds(0)};
  std::unique_ptr<TokenCache> cache_;
};

TEST_F(TokenCacheTest, KeepsATokenUntilShortlyBeforeItsEnd) {
  EXPECT_EQ(source_->fetches, 0) << "nothing is asked before it is wanted";
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  time_ = seconds(3299);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  time_ = seconds(3300);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-2") << "5 minutes before the end";
}

TEST_F(TokenCacheTest, ALongOneIsRenewedAtHalfItsTime) {
  source_->at_half = true;
  source_->lifetime = seconds(86'400);
  authorization();
  time_ = seconds(43'199);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  time_ = seconds(43'200);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-2");
  source_->lifetime = seconds(60);
  time_ = seconds(100'000);
  authorization();
  time_ = seconds(100'029);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-3") << "a short one is not fetched for each request";
}

TEST_F(TokenCacheTest, AFailureToRenewLeavesTheOldToken) {
  authorization();
  source_->fails = true;
  time_ = seconds(3300);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  EXPECT_EQ(source_->fetches, 2) << "not for every request";
  time_ = seconds(3331);
  authorization();
  EXPECT_EQ(source_->fetches, 3);
  time_ = seconds(3600);
  EXPECT_EQ(authorization(), "no token from a fake");
  source_->fails = false;
  EXPECT_EQ(authorization(), "Authorization: Bearer token-5");
}

TEST_F(TokenCacheTest, ARefusedTokenIsThrownAway) {
  authorization();
  EXPECT_TRUE(cache_->refused());
  EXPECT_EQ(authorization(), "Authorization: Bearer token-2");
  source_->fails = true;
  EXPECT_TRUE(cache_->refused());
  EXPECT_EQ(authorization(), "no token from a fake");
}

TEST_F(TokenCacheTest, EightThreadsFetchOne) {
  source_->takes = milliseconds(50);
  for (const bool fails : {false, true}) {
    source_->fails = fails;
    cache_->refused();
    const int before = source_->fetches;
    std::atomic<int> done{0};
    std::latch all_there(8);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        all_there.arrive_and_wait();
        const std::string wanted = fails ? "no token from a fake" : "Authorization: Bearer token-1";
        if (authorization() == wanted) ++done;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(done, 8);
    if (!fails) {
      EXPECT_EQ(source_->fetches, before + 1);
    } else {
      EXPECT_LT(source_->fetches, before + 8) << "who waited shares the failure";
    }
  }
}

TEST_F(TokenCacheTest, OthersGoOnWithTheOldTokenMeanwhile) {
  authorization();
  time_ = seconds(3300);
  source_->held = true;
  std::thread renewing([&] { authorization(); });
  wait_for_start(2);
  EXPECT_EQ(authorization(), "Authorization: Bearer token-1");
  EXPECT_EQ(source_->fetches, 1) << "the second was still under way";
  source_->held = false;
  renewing.join();
  EXPECT_EQ(authorization(), "Authorization: Bearer token-2");
}

TEST_F(TokenCacheTest, WaitingEndsWithTheDeadline) {
  source_->held = true;
  std::thread first([&] { authorization(); });
  wait_for_start(1);
  EXPECT_THAT(authorization(Deadline::in(milliseconds(30))), HasSubstr("in time"));
  source_->held = false;
  first.join();
}

}  // namespace
}  // namespace dropscore::azure
