#include "event/held_messages.h"

#include <gtest/gtest.h>

namespace dropscore::event {
namespace {

using namespace std::chrono_literals;
using Clock = HeldMessages::Clock;

const Clock::time_point start = Clock::now();

HeldMessages::Held message(const std::string& blob, const std::string& id = "1", const std::string& etag = "v1",
                           std::int64_t dequeue_count = 1) {
  HeldMessages::Held held;
  held.message = {id, "receipt of " + id, "text", dequeue_count};
  held.blob = blob;
  held.etag = etag;
  held.renew_at = start + 30s;
  return held;
}

TEST(HeldMessages, HandsOutInOrder) {
  HeldMessages held;
  EXPECT_FALSE(held.hand_out(start));
  const auto event_time = std::chrono::system_clock::now();
  HeldMessages::Held first = message("a", "1", "v1", 3);
  first.event_time = event_time;
  EXPECT_TRUE(held.add(std::move(first), start));
  EXPECT_TRUE(held.add(message("b", "2"), start));
  EXPECT_EQ(held.ready(start), 2U);
  const auto a = held.hand_out(start);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->blob, "a");
  EXPECT_EQ(a->attempt, 3);
  EXPECT_EQ(a->etag, "v1");
  EXPECT_EQ(a->event_time, event_time);
  EXPECT_EQ(held.find(*a)->message.id, "1");
  EXPECT_EQ(held.hand_out(start)->blob, "b");
  EXPECT_FALSE(held.hand_out(start));
  EXPECT_EQ(held.next_due(), Clock::time_point::max());
}

TEST(HeldMessages, ASecondMessageWaitsForTheEndOfTheFirst) {
  HeldMessages held;
  held.add(message("a", "1"), start);
  const auto first = held.hand_out(start);
  EXPECT_TRUE(held.add(message("a", "2"), start));
  EXPECT_FALSE(held.hand_out(start + 1h));
  EXPECT_EQ(held.next_due(), Clock::time_point::max()) << "nobody knows when";
  held.end(*HeldMessages::key_of(*first), start + 5s);
  EXPECT_EQ(held.next_due(), start + 5s);
  EXPECT_FALSE(held.hand_out(start + 4s));
  const auto second = held.hand_out(start + 5s);
  ASSERT_TRUE(second);
  EXPECT_EQ(held.find(*second)->message.id, "2");
  EXPECT_EQ(held.find(*first), nullptr);
  held.end(*HeldMessages::key_of(*second), start + 6s);
  EXPECT_FALSE(held.holds("a"));
  EXPECT_TRUE(held.keys().empty());
}

TEST(HeldMessages, OneThatWaitsStandsForAllThatFollow) {
  HeldMessages held;
  EXPECT_TRUE(held.add(message("a", "1", "v1"), start));
  EXPECT_FALSE(held.add(message("a", "2", "v1"), start));
  EXPECT_EQ(held.hand_out(start)->etag, "v1");
  EXPECT_TRUE(held.waiting_keys().empty());
  EXPECT_TRUE(held.add(message("a", "3", "v2"), start));
  EXPECT_EQ(held.waiting_keys(), std::vector{held.keys().back()});
  EXPECT_FALSE(held.add(message("a", "4", "v3"), start));
  EXPECT_EQ(held.keys().size(), 2U);
  held.end(held.keys().front(), start);
  EXPECT_FALSE(held.hand_out(start)->etag) << "which version it is about is not known";
}

TEST(HeldMessages, WhatWasLostWhileItWaitedIsNotHandedOut) {
  HeldMessages held;
  held.add(message("a", "1"), start);
  held.find(held.keys().front())->lost = true;
  EXPECT_FALSE(held.hand_out(start));
  EXPECT_FALSE(held.holds("a"));
  held.add(message("a", "2"), start);
  held.find(held.keys().front())->lost = true;
  EXPECT_TRUE(held.add(message("a", "2"), start + 1s)) << "it came again";
  EXPECT_EQ(held.keys().size(), 1U);
  EXPECT_TRUE(held.hand_out(start + 1s));
}

TEST(HeldMessages, WhatWasLostInWorkKeepsItsBlobUntilTheWorkEnds) {
  HeldMessages held;
  held.add(message("a", "1"), start);
  const auto first = held.hand_out(start);
  held.find(*first)->lost = true;
  held.add(message("a", "1", "v1", 2), start);
  EXPECT_FALSE(held.hand_out(start));
  held.end(*HeldMessages::key_of(*first), start);
  EXPECT_EQ(held.hand_out(start)->attempt, 2);
}

TEST(HeldMessages, EndsWhatWasNotHandedOut) {
  HeldMessages held;
  held.add(message("a", "1"), start);
  held.end(held.keys().front(), start);
  EXPECT_FALSE(held.holds("a"));
  EXPECT_FALSE(held.hand_out(start));
  held.add(message("a", "1"), start);
  const auto first = held.hand_out(start);
  held.add(message("a", "2"), start);
  held.end(held.keys().back(), start);
  EXPECT_TRUE(held.holds("a"));
  EXPECT_NE(held.find(*first), nullptr);
  held.end(held.keys().back(), start);
  EXPECT_FALSE(held.holds("a"));
  held.end(7, start);  // of what has ended, nothing is left to end
}

TEST(HeldMessages, RenewsTheMostUrgent) {
  HeldMessages held;
  EXPECT_FALSE(held.next_renewal());
  held.add(message("a", "1"), start);
  held.add(message("b", "2"), start);
  const auto keys = held.keys();
  held.find(keys[1])->renew_at = start + 10s;
  EXPECT_EQ(held.next_renewal(), keys[1]);
  held.find(keys[1])->in_use = true;
  EXPECT_EQ(held.next_renewal(), keys[0]);
  held.find(keys[0])->lost = true;
  EXPECT_FALSE(held.next_renewal());
}

TEST(HeldMessages, AReceiptThatIsNone) {
  HeldMessages held;
  held.add(message("a"), start);
  auto taken = held.hand_out(start);
  for (const char* receipt : {"", "x", "1x", "99", "-1"}) {
    taken->receipt = receipt;
    EXPECT_EQ(held.find(*taken), nullptr) << receipt;
  }
}

}  // namespace
}  // namespace dropscore::event
