#include "event/arrivals.h"

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace dropscore::event {
namespace {

using namespace std::chrono_literals;
using Clock = Arrivals::Clock;

constexpr auto ample = 20s;

TEST(Arrivals, HandsOutInOrderAndOnce) {
  Arrivals arrivals;
  for (const char* blob : {"a", "b", "a", "a"}) arrivals.arrived(blob);
  const auto a = arrivals.take(0ms);
  const auto b = arrivals.take(0ms);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->blob, "a");
  EXPECT_EQ(a->attempt, 1);
  EXPECT_FALSE(a->etag);
  EXPECT_EQ(b->blob, "b");
  EXPECT_FALSE(arrivals.take(0ms)) << "duplicates of a waiting blob are one arrival";
}

TEST(Arrivals, AnArrivalDuringWorkComesAfterIt) {
  Arrivals arrivals;
  arrivals.arrived("a");
  const auto first = arrivals.take(0ms);
  arrivals.arrived("a");
  arrivals.arrived("a");
  EXPECT_FALSE(arrivals.take(0ms)) << "one blob is never with two takers";
  ASSERT_TRUE(arrivals.acknowledge(*first));
  const auto second = arrivals.take(0ms);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->attempt, 1);
  ASSERT_TRUE(arrivals.acknowledge(*second));
  EXPECT_FALSE(arrivals.take(0ms));
}

TEST(Arrivals, ADeliveryEndsOnce) {
  Arrivals arrivals;
  arrivals.arrived("a");
  const auto first = arrivals.take(0ms);
  ASSERT_TRUE(arrivals.acknowledge(*first));
  EXPECT_EQ(arrivals.acknowledge(*first).error().kind, ErrorKind::not_found);
  EXPECT_EQ(arrivals.retry(*first, 0ms).error().kind, ErrorKind::not_found);
  arrivals.arrived("a");
  const auto second = arrivals.take(0ms);
  EXPECT_EQ(arrivals.acknowledge(*first).error().kind, ErrorKind::not_found) << "the receipt is an older delivery's";
  EXPECT_TRUE(arrivals.acknowledge(*second));
}

TEST(Arrivals, RetryWaitsAndCounts) {
  Arrivals arrivals;
  arrivals.arrived("a");
  auto due = Clock::now();
  for (int attempt = 1; attempt <= 4; ++attempt) {
    const auto taken = arrivals.take(ample);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->attempt, attempt);
    EXPECT_GE(Clock::now(), due);
    due = Clock::now() + 20ms;
    ASSERT_TRUE(arrivals.retry(*taken, 20ms));
  }
  ASSERT_TRUE(arrivals.retry(*arrivals.take(ample), 1h));
  EXPECT_FALSE(arrivals.take(0ms));
}

TEST(Arrivals, ATakerWhoWaitsAlreadyGetsARetry) {
  Arrivals arrivals;
  arrivals.arrived("a");
  const auto first = arrivals.take(0ms);
  std::vector<std::thread> takers;
  std::atomic<int> got = 0;
  const auto start = Clock::now();
  takers.emplace_back([&] { got += arrivals.take(5ms).has_value() ? 1 : 0; });
  takers.emplace_back([&] { got += arrivals.take(ample).has_value() ? 1 : 0; });
  ASSERT_TRUE(arrivals.retry(*first, 1s));  // by then the first taker has begun, and left
  for (std::thread& taker : takers) taker.join();
  EXPECT_EQ(got, 1);
  EXPECT_LT(Clock::now() - start, ample);
}

TEST(Arrivals, NewContentStartsTheCountAnew) {
  Arrivals arrivals;
  arrivals.arrived("a");
  ASSERT_TRUE(arrivals.retry(*arrivals.take(0ms), 1h));
  EXPECT_FALSE(arrivals.take(0ms));
  arrivals.arrived("a");
  const auto second = arrivals.take(0ms);
  ASSERT_TRUE(second) << "new content need not wait for the old one's pause";
  EXPECT_EQ(second->attempt, 1);
  ASSERT_TRUE(arrivals.retry(*second, 0ms));
  const auto third = arrivals.take(ample);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->attempt, 2);
  arrivals.arrived("a");
  ASSERT_TRUE(arrivals.retry(*third, 0ms));
  EXPECT_EQ(arrivals.take(ample)->attempt, 1) << "it arrived while the third was at work";
}

TEST(Arrivals, ASweepAddsOnlyWhatIsNotKnown) {
  Arrivals arrivals;
  EXPECT_TRUE(arrivals.found("a", "v1", Clock::now()));
  EXPECT_FALSE(arrivals.found("a", "v1", Clock::now())) << "in line";
  const auto first = arrivals.take(0ms);
  EXPECT_FALSE(arrivals.found("a", "v2", Clock::now())) << "in work";
  ASSERT_TRUE(arrivals.retry(*first, 1h));
  EXPECT_FALSE(arrivals.found("a", "v2", Clock::now())) << "waiting";
  EXPECT_FALSE(arrivals.take(0ms));
}

TEST(Arrivals, WhatWasAcknowledgedWithoutAResultIsNotFoundAgain) {
  Arrivals arrivals;
  ASSERT_TRUE(arrivals.found("a", "v1", Clock::now()));
  ASSERT_TRUE(arrivals.acknowledge(*arrivals.take(0ms)));
  EXPECT_FALSE(arrivals.found("a", "v1", Clock::now()));
  EXPECT_TRUE(arrivals.found("a", "v2", Clock::now())) << "another version is another arrival";
}

TEST(Arrivals, OfAnEventsVersionOneSweepAsksOnce) {
  Arrivals arrivals;
  arrivals.arrived("a");
  ASSERT_TRUE(arrivals.acknowledge(*arrivals.take(0ms)));
  EXPECT_TRUE(arrivals.found("a", "v1", Clock::now())) << "the event did not tell which version it was";
  ASSERT_TRUE(arrivals.acknowledge(*arrivals.take(0ms)));
  EXPECT_FALSE(arrivals.found("a", "v1", Clock::now()));
}

TEST(Arrivals, ATakerMayTellTheVersion) {
  Arrivals arrivals;
  arrivals.arrived("a");
  auto taken = arrivals.take(0ms);
  taken->etag = "v1";
  ASSERT_TRUE(arrivals.acknowledge(*taken));
  EXPECT_FALSE(arrivals.found("a", "v1", Clock::now()));
}

TEST(Arrivals, ASweepThatBeganBeforeTheAcknowledgementIsNotBelieved) {
  Arrivals arrivals;
  const auto sweep_start = Clock::now();
  arrivals.arrived("a");
  ASSERT_TRUE(arrivals.acknowledge(*arrivals.take(0ms)));
  EXPECT_FALSE(arrivals.found("a", "v1", sweep_start));
}

TEST(Arrivals, WhatItIsToForgetMayBeFoundAgainByLaterSweeps) {
  Arrivals arrivals;
  const auto sweep_start = Clock::now();
  arrivals.arrived("a");
  auto taken = arrivals.take(0ms);
  taken->etag = "v1";
  ASSERT_TRUE(arrivals.acknowledge(*taken));
  arrivals.forget_done();
  EXPECT_FALSE(arrivals.found("a", "v1", sweep_start));
  EXPECT_TRUE(arrivals.found("a", "v1", Clock::now()));
}

TEST(Arrivals, RemembersOnlyWhatIsStillThere) {
  Arrivals arrivals;
  for (const char* blob : {"a", "b", "c"}) {
    arrivals.arrived(blob);
    ASSERT_TRUE(arrivals.acknowledge(*arrivals.take(0ms)));
  }
  const auto sweep_start = Clock::now() + 1ns;
  arrivals.forget_others({"a", "c"}, sweep_start);
  EXPECT_EQ(arrivals.done_count(), 2U);
  arrivals.forget_others({}, Clock::now() - 1h);
  EXPECT_EQ(arrivals.done_count(), 2U) << "what was done after the sweep began stays";
}

TEST(Arrivals, KnowsWhenAnEventCameAndThatASweepHasNone) {
  Arrivals arrivals;
  const auto before = std::chrono::system_clock::now();
  arrivals.arrived("a");
  const auto told = std::chrono::system_clock::now();
  arrivals.arrived("a");  // it waits already: the first event is the one that is waited for
  arrivals.found("b", "v1", Arrivals::Clock::now());
  EXPECT_EQ(arrivals.waiting_count(), 2U);
  const auto a = arrivals.take(0ms);
  ASSERT_TRUE(a && a->event_time);
  EXPECT_GE(*a->event_time, before);
  EXPECT_LE(*a->event_time, told);
  const auto b = arrivals.take(0ms);
  ASSERT_TRUE(b);
  EXPECT_FALSE(b->event_time);
  EXPECT_EQ(arrivals.waiting_count(), 0U);
  arrivals.arrived("a");  // while it is worked on
  ASSERT_TRUE(arrivals.acknowledge(*a));
  const auto again = arrivals.take(0ms);
  ASSERT_TRUE(again && again->event_time);
  EXPECT_GE(*again->event_time, *a->event_time);
  ASSERT_TRUE(arrivals.retry(*again, 0ms));
  EXPECT_EQ(arrivals.waiting_count(), 1U);
  EXPECT_EQ(arrivals.take(0ms)->event_time, again->event_time);
}

TEST(Arrivals, StopWakesEverybody) {
  Arrivals arrivals;
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i)
    takers.emplace_back([&] { EXPECT_FALSE(arrivals.take(std::chrono::milliseconds::max())); });
  arrivals.stop();
  for (std::thread& taker : takers) taker.join();
  arrivals.arrived("a");
  EXPECT_FALSE(arrivals.take(0ms)) << "nothing more is handed out";
}

TEST(Arrivals, HammeredByManyNoBlobIsWithTwoTakers) {
  Arrivals arrivals;
  constexpr int blobs = 7;
  constexpr int events = 3000;
  std::vector<std::atomic<int>> holders(blobs);
  std::atomic<int> last_seen[blobs] = {};
  std::atomic<int> content[blobs] = {};
  std::atomic<bool> clash = false;
  const auto work = [&] {
    int turn = 0;
    while (const auto taken = arrivals.take(ample)) {
      const auto blob = static_cast<std::size_t>(taken->blob[0] - 'a');
      if (holders[blob].fetch_add(1) != 0) clash = true;
      last_seen[blob] = content[blob].load();
      holders[blob].fetch_sub(1);
      EXPECT_TRUE(++turn % 5 == 0 ? arrivals.retry(*taken, 1ms) : arrivals.acknowledge(*taken));
    }
  };
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) takers.emplace_back(work);
  for (int i = 0; i < events; ++i) {
    const auto blob = static_cast<std::size_t>(i % blobs);
    content[blob] = i;
    const std::string name(1, static_cast<char>('a' + blob));
    if (i % 11 == 0) arrivals.found(name, std::to_string(i), Clock::now());
    arrivals.arrived(name);
  }
  const auto deadline = Clock::now() + ample;
  const auto all_seen = [&] {
    for (std::size_t i = 0; i < blobs; ++i) {
      if (last_seen[i] != content[i]) return false;
    }
    return true;
  };
  while (!all_seen() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(all_seen()) << "each blob's last content was seen by somebody";
  arrivals.stop();
  for (std::thread& taker : takers) taker.join();
  EXPECT_FALSE(clash);
}

TEST(Arrivals, OneArrivalIsOneTraceHoweverOftenItIsDelivered) {
  Arrivals arrivals;
  arrivals.arrived("a");
  const Envelope first = *arrivals.take(0ms);
  EXPECT_TRUE(first.trace.has_trace());
  EXPECT_FALSE(first.trace.has_span());
  EXPECT_TRUE(first.event_time);
  ASSERT_TRUE(arrivals.retry(first, 0ms));
  const Envelope again = *arrivals.take(0ms);
  EXPECT_EQ(again.trace.trace_id, first.trace.trace_id);
  arrivals.arrived("a");
  ASSERT_TRUE(arrivals.acknowledge(again));
  EXPECT_NE(arrivals.take(0ms)->trace.trace_id, first.trace.trace_id) << "new content";
}

TEST(Arrivals, WhoeverTellsOfABlobMayNameATrace) {
  const auto trace = telemetry::trace_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "");
  Arrivals arrivals;
  arrivals.arrived("a", trace);
  Envelope taken = *arrivals.take(0ms);
  EXPECT_EQ(taken.trace.span_id, trace.span_id);
  ASSERT_TRUE(arrivals.acknowledge(taken));
  arrivals.arrived("a");
  taken = *arrivals.take(0ms);
  arrivals.arrived("a", trace);
  ASSERT_TRUE(arrivals.retry(taken, 0ms));
  EXPECT_EQ(arrivals.take(0ms)->trace.span_id, trace.span_id) << "the later arrival's";
}

}  // namespace
}  // namespace dropscore::event
