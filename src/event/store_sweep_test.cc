#include "event/store_sweep.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace dropscore::event {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto ample = 20s;
constexpr auto brief = 60ms;

/// A container whose blobs without a result are those put in here.
class StoreSweepTest : public ::testing::Test {
 protected:
  ~StoreSweepTest() override { inbox_.reset(); }

  void open(std::chrono::milliseconds interval) {
    inbox_ = open_sweep_inbox([this](const auto& visit) { return find(visit); }, {interval}).value();
  }
  Status find(const std::function<bool(const store::BlobInfo&)>& visit) {
    const std::lock_guard lock(mutex_);
    ++sweeps_;
    if (fault_) return fail(ErrorKind::try_later, "the store is away");
    for (const auto& [name, etag] : pending_) {
      if (!visit({name, etag, 1})) break;
    }
    return {};
  }
  void put(const std::string& name, const std::string& etag) {
    const std::lock_guard lock(mutex_);
    pending_[name] = etag;
  }
  void has_result(const std::string& name) {
    const std::lock_guard lock(mutex_);
    pending_.erase(name);
  }
  /// Until a sweep that began after this call has ended.
  void wait_for_sweep() {
    const int before = sweeps_;
    const auto deadline = Clock::now() + ample;
    while (sweeps_ < before + 2 && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT_GE(sweeps_, before + 2);
  }
  Envelope take() {
    const auto taken = inbox_->take(ample).value();
    EXPECT_TRUE(taken) << "nothing came";
    return taken.value_or(Envelope{});
  }
  bool nothing_comes() { return !inbox_->take(brief).value(); }

  std::mutex mutex_;
  std::map<std::string, std::string> pending_;
  std::atomic<bool> fault_ = false;
  std::atomic<int> sweeps_ = 0;
  std::unique_ptr<SweepInbox> inbox_;
};

TEST_F(StoreSweepTest, RefusesIntervalsThatCannotBe) {
  const FindPending none = [](const auto&) { return Status(); };
  EXPECT_EQ(open_sweep_inbox(none, {0ms}).error().kind, ErrorKind::misuse);
  EXPECT_EQ(open_sweep_inbox(none, {25h}).error().kind, ErrorKind::misuse);
}

TEST_F(StoreSweepTest, FindsWhatHasNoResult) {
  put("a.csv", "1");
  put("b.csv", "1");
  open(2ms);
  const Envelope first = take();
  const Envelope second = take();
  EXPECT_EQ((std::set{first.blob, second.blob}), (std::set<std::string>{"a.csv", "b.csv"}));
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes()) << "both are in work";
  has_result("a.csv");
  EXPECT_TRUE(inbox_->acknowledge(first));
  EXPECT_TRUE(inbox_->acknowledge(second));
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes()) << "one has its result; that none came of the other is no reason to try for ever";
  put("a.csv", "2");
  EXPECT_EQ(take().blob, "a.csv");
}

TEST_F(StoreSweepTest, IsToldOfBlobsAtOnce) {
  open(1h);
  inbox_->notify("a.csv");
  inbox_->notify("a.csv");
  const Envelope first = take();
  EXPECT_EQ(first.blob, "a.csv");
  EXPECT_EQ(first.attempt, 1);
  inbox_->notify("a.csv");
  EXPECT_TRUE(nothing_comes());
  EXPECT_TRUE(inbox_->retry(first, 0ms));
  const Envelope second = take();
  EXPECT_EQ(second.attempt, 1) << "it came anew";
  EXPECT_TRUE(inbox_->retry(second, 0ms));
  EXPECT_EQ(take().attempt, 2);
}

TEST_F(StoreSweepTest, TheNextSweepMakesUpForAFault) {
  put("a.csv", "1");
  fault_ = true;
  open(2ms);
  wait_for_sweep();
  EXPECT_TRUE(nothing_comes());
  fault_ = false;
  EXPECT_EQ(take().blob, "a.csv");
}

TEST_F(StoreSweepTest, ARestartedSweepFindsWhatWasInWork) {
  put("a.csv", "1");
  open(2ms);
  take();
  inbox_.reset();
  open(2ms);
  EXPECT_EQ(take().blob, "a.csv");
}

TEST_F(StoreSweepTest, StopEndsASweepUnderWay) {
  std::atomic<int> visits = 0;
  inbox_ = open_sweep_inbox(
               [&](const auto& visit) {
                 while (visit({std::to_string(visits), "1", 1})) ++visits;
                 return Status();
               },
               {1ms})
               .value();
  for (int i = 0; i < 3; ++i) take();
  inbox_->stop();
  EXPECT_FALSE(inbox_->take(1h).value());
  inbox_.reset();  // waits for the sweep, which has no end of its own
  EXPECT_GE(visits, 2);
}

}  // namespace
}  // namespace dropscore::event
