#include "event/lost_blobs.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::event {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;
using Clock = LostBlobs::Clock;

class LostBlobsTest : public ::testing::Test {
 protected:
  /// A sweep at `now` that finds these.
  void sweep(Clock::duration now, const std::vector<store::BlobInfo>& pending) {
    blobs_.begin(start_ + now);
    for (const store::BlobInfo& info : pending) blobs_.found(info);
    blobs_.end();
  }
  std::vector<std::string> lost(bool queue_was_empty) const {
    std::vector<std::string> names;
    for (const store::BlobInfo& info : blobs_.lost(queue_was_empty)) names.push_back(info.name);
    return names;
  }

  const store::BlobInfo a_{"a", "v1", 1};
  const store::BlobInfo b_{"b", "v1", 1};
  Clock::time_point start_ = Clock::now();
  LostBlobs blobs_{10min};
};

TEST_F(LostBlobsTest, FoundTwiceWithAnEmptyQueue) {
  sweep(0s, {a_});
  EXPECT_THAT(lost(true), IsEmpty()) << "its event may be on its way";
  sweep(10s, {a_, b_});
  EXPECT_THAT(lost(false), IsEmpty()) << "one of the messages may be about it";
  EXPECT_THAT(lost(true), ElementsAre("a"));
  sweep(20s, {b_});
  EXPECT_THAT(lost(true), ElementsAre("b"));
}

TEST_F(LostBlobsTest, FoundForSoLongThatTheQueueDoesNotMatter) {
  for (const auto now : {0min, 3min, 6min, 9min}) sweep(now, {a_});
  EXPECT_THAT(lost(false), IsEmpty());
  sweep(10min, {a_});
  EXPECT_THAT(lost(false), ElementsAre("a"));
}

TEST_F(LostBlobsTest, IsToldOfAgainAfterTenMinutesOnly) {
  sweep(0s, {a_});
  sweep(10s, {a_});
  blobs_.told("a");
  EXPECT_THAT(lost(true), IsEmpty());
  sweep(10min, {a_});
  EXPECT_THAT(lost(true), IsEmpty());
  EXPECT_THAT(lost(false), IsEmpty());
  sweep(10min + 10s, {a_});
  EXPECT_THAT(lost(true), ElementsAre("a"));
}

TEST_F(LostBlobsTest, AnotherVersionIsAnotherBlob) {
  sweep(0s, {a_});
  sweep(10s, {a_});
  blobs_.told("a");
  const store::BlobInfo changed{"a", "v2", 1};
  sweep(20s, {changed});
  EXPECT_THAT(lost(true), IsEmpty()) << "found once";
  sweep(30s, {changed});
  EXPECT_THAT(lost(true), ElementsAre("a"));
  EXPECT_EQ(blobs_.lost(true).front().etag, "v2");
}

TEST_F(LostBlobsTest, WhatHadAResultMeanwhileIsNewAgain) {
  sweep(0s, {a_});
  sweep(10s, {});
  sweep(20s, {a_});
  EXPECT_THAT(lost(true), IsEmpty());
}

TEST_F(LostBlobsTest, ASweepThatBrokeOffForgetsNothing) {
  sweep(0s, {a_, b_});
  blobs_.begin(start_ + 10s);
  blobs_.found(b_);
  sweep(20s, {a_, b_});
  EXPECT_THAT(lost(true), UnorderedElementsAre("a", "b"));
}

TEST_F(LostBlobsTest, WhatAWorkerIsDoneWithIsNotLost) {
  sweep(0s, {a_});
  blobs_.done("a", "v1");
  for (const auto now : {10s, 20s, 3600s}) {
    sweep(now, {a_});
    EXPECT_THAT(lost(true), IsEmpty()) << now.count();
  }
  const store::BlobInfo changed{"a", "v2", 1};
  sweep(3610s, {changed});
  sweep(3620s, {changed});
  EXPECT_THAT(lost(true), ElementsAre("a"));
}

TEST_F(LostBlobsTest, DoneIsForgottenWithTheBlob) {
  blobs_.done("a", "v1");
  sweep(3600s, {});
  sweep(3610s, {a_});
  sweep(3620s, {a_});
  EXPECT_THAT(lost(true), ElementsAre("a")) << "its result was there, and somebody took it away";
}

TEST_F(LostBlobsTest, WhatWasDoneCanBeForgotten) {
  blobs_.done("a", "v1");
  sweep(0s, {a_});
  sweep(10s, {a_});
  EXPECT_THAT(lost(true), IsEmpty());
  blobs_.forget_done();
  sweep(20s, {a_});
  sweep(30s, {a_});
  EXPECT_THAT(lost(true), ElementsAre("a"));
}

TEST_F(LostBlobsTest, SoManyAtATime) {
  std::vector<store::BlobInfo> many;
  for (std::size_t i = 0; i < LostBlobs::most_at_once + 5; ++i) many.push_back({std::to_string(i), "v1", 1});
  sweep(0s, many);
  sweep(10s, many);
  std::set<std::string> told;
  for (const std::string& name : lost(true)) {
    told.insert(name);
    blobs_.told(name);
  }
  EXPECT_EQ(told.size(), LostBlobs::most_at_once);
  sweep(20s, many);
  for (const std::string& name : lost(true)) told.insert(name);
  EXPECT_EQ(told.size(), many.size());
}

}  // namespace
}  // namespace dropscore::event
