#include "event/queue_inbox.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/event_test_util.h"
#include "event/queue_test_peer.h"
#include "store/memory_store.h"

namespace dropscore::event {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto ample = 20s;
constexpr auto brief = 100ms;

class QueueInboxTest : public ::testing::Test {
 protected:
  QueueInboxTest() {
    options_.visibility = 20s;
    options_.first_idle_wait = 2ms;
    options_.last_idle_wait = 20ms;
    options_.retry.first_delay = 1ms;
    options_.sweep.interval = 1h;
    peer_.make("work");
  }
  ~QueueInboxTest() override {
    inbox_.reset();
    peer_.set_fault({});
  }

  void open() { inbox_ = make(); }
  std::unique_ptr<Inbox> make() {
    const FindPending find = [this](const auto& visit) {
      const std::lock_guard lock(mutex_);
      ++sweeps_;
      for (const auto& [name, etag] : pending_) visit({name, etag, 1});
      if (after_look_) after_look_();
      return Status();
    };
    return open_queue_inbox(peer_.account(), "work", client_, *input_, find, options_).value();
  }

  static std::string event(std::string_view blob, std::string_view container = "in") {
    return cloud_event_of(testing::url_of(container, blob, "https://acct.blob.core.windows.net"));
  }
  static std::string cloud_event_of(std::string_view url) {
    return testing::cloud_event(testing::created_data(url, "PutBlob", "0x8D"));
  }
  void arrive(std::string_view blob) { peer_.put("work", base64_encoded(event(blob))); }

  Envelope take() {
    const auto taken = inbox_->take(ample).value();
    EXPECT_TRUE(taken) << "nothing came";
    return taken.value_or(Envelope{});
  }
  bool nothing_comes() { return !inbox_->take(brief).value(); }

  template <class Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = Clock::now() + ample;
    while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(condition());
  }
  /// Renewals are answered so, as long as the function says something.
  void on_renewal(const std::function<std::optional<std::string>()>& answer) {
    peer_.set_fault([answer](const net::TestRequest& request) -> std::optional<std::string> {
      return request.method == "PUT" ? answer() : std::nullopt;
    });
  }

  testing::QueuePeer peer_;
  std::shared_ptr<net::HttpClient> client_ = std::make_shared<net::HttpClient>();
  std::unique_ptr<store::BlobStore> input_ = store::make_memory_store("in");
  QueueInboxOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::string> pending_;
  std::function<void()> after_look_;  ///< called in each sweep that has looked, under mutex_
  std::atomic<int> sweeps_ = 0;
  std::unique_ptr<Inbox> inbox_;
};

TEST_F(QueueInboxTest, RefusesWhatCannotWork) {
  const FindPending none = [](const auto&) { return Status(); };
  const auto kind = [&](const azure::Account& account, const std::string& queue, const QueueInboxOptions& options) {
    return open_queue_inbox(account, queue, client_, *input_, none, options).error().kind;
  };
  EXPECT_EQ(kind(peer_.account(), "No_Queue", options_), ErrorKind::misuse);
  EXPECT_EQ(kind(peer_.account(), std::string(57, 'a'), options_), ErrorKind::misuse) << "-poison does not fit";
  azure::Account blobs_only = peer_.account();
  blobs_only.queue_endpoint.clear();
  EXPECT_EQ(kind(blobs_only, "work", options_), ErrorKind::misuse);
  std::vector<QueueInboxOptions> wrong(6, options_);
  wrong[0].visibility = 0s;
  wrong[1].visibility = 8 * 24h;
  wrong[2].last_idle_wait = 1ms;
  wrong[3].sweep.interval = 0ms;
  wrong[4].sweep_patience = 0ms;
  wrong[5].retry.max_tries = 0;
  for (const QueueInboxOptions& options : wrong) EXPECT_EQ(kind(peer_.account(), "work", options), ErrorKind::misuse);
}

TEST_F(QueueInboxTest, DeliversAndRemoves) {
  open();
  arrive("dir/a b.csv");
  const Envelope taken = take();
  EXPECT_EQ(taken.blob, "dir/a b.csv");
  EXPECT_EQ(taken.etag, "0x8D");
  EXPECT_EQ(taken.attempt, 1);
  EXPECT_EQ(peer_.length("work"), 1U);
  ASSERT_TRUE(inbox_->acknowledge(taken));
  EXPECT_EQ(peer_.length("work"), 0U);
  EXPECT_EQ(inbox_->acknowledge(taken).error().kind, ErrorKind::not_found);
}

TEST_F(QueueInboxTest, TakesAsManyAsThereAreTakers) {
  for (const char* blob : {"a", "b", "c", "d"}) arrive(blob);
  open();
  take();
  EXPECT_EQ(peer_.visible("work"), 3U) << "the others are for those who have time for them";
}

TEST_F(QueueInboxTest, LooksLessOftenAtAnEmptyQueue) {
  options_.first_idle_wait = 10ms;
  options_.last_idle_wait = 100ms;
  open();
  EXPECT_FALSE(inbox_->take(450ms).value());
  const std::size_t looks = peer_.requests().size();
  EXPECT_GE(looks, 2U);
  EXPECT_LE(looks, 9U) << "0, 10, 30, 70, 150, 250, 350, 450 ms at the most";
}

TEST_F(QueueInboxTest, ASecondMessageWaitsForTheFirst) {
  open();
  arrive("a");
  const Envelope first = take();
  arrive("a");
  arrive("a");
  EXPECT_TRUE(nothing_comes());
  EXPECT_EQ(peer_.length("work"), 2U) << "one that waits stands for both";
  ASSERT_TRUE(inbox_->acknowledge(first));
  const Envelope second = take();
  EXPECT_EQ(second.blob, "a");
  EXPECT_EQ(second.attempt, 1);
  EXPECT_NE(second.receipt, first.receipt);
  ASSERT_TRUE(inbox_->acknowledge(second));
  EXPECT_EQ(peer_.length("work"), 0U);
}

TEST_F(QueueInboxTest, RetryCountsAndWaitsWholeSeconds) {
  open();
  arrive("a");
  ASSERT_TRUE(inbox_->retry(take(), 499ms));
  const Envelope second = take();
  EXPECT_EQ(second.attempt, 2);
  const auto start = Clock::now();
  ASSERT_TRUE(inbox_->retry(second, 500ms));
  EXPECT_EQ(take().attempt, 3);
  EXPECT_GE(Clock::now() - start, 990ms);
}

TEST_F(QueueInboxTest, EveryDeliveryOfAMessageIsOfOneTrace) {
  open();
  arrive("a.csv");
  const Envelope first = take();
  EXPECT_TRUE(first.trace.has_trace());
  EXPECT_FALSE(first.trace.has_span());
  EXPECT_TRUE(first.event_time);
  EXPECT_FALSE(first.message_id.empty());
  ASSERT_TRUE(inbox_->retry(first, 0ms));
  EXPECT_EQ(take().trace.trace_id, first.trace.trace_id);
}

TEST_F(QueueInboxTest, AnEventsOwnTraceIsHandedOn) {
  open();
  const std::string data = testing::created_data(testing::url_of("in", "a.csv"), "PutBlob", "0x8D");
  const std::string one = testing::cloud_event(data, "", "Microsoft.Storage.BlobCreated", testing::traced);
  peer_.put("work", base64_encoded(one));
  Envelope taken = take();
  EXPECT_EQ(telemetry::traceparent(taken.trace), testing::a_traceparent);
  ASSERT_TRUE(inbox_->acknowledge(taken));
  const std::string other =
      testing::cloud_event(testing::created_data(testing::url_of("in", "b.csv"), "PutBlob", "0x8D"));
  peer_.put("work", base64_encoded("[" + one + "," + other + "]"));
  for (int i = 0; i < 2; ++i) {
    taken = take();
    EXPECT_EQ(taken.trace.has_span(), taken.blob == "a.csv") << "also where several came in one message";
    ASSERT_TRUE(inbox_->acknowledge(taken));
  }
}

TEST_F(QueueInboxTest, RenewalsKeepItHiddenThoughSomeFail) {
  options_.visibility = 4s;  // renewed after two, so that a busy machine has two more
  std::atomic<int> renewals = 0;
  on_renewal([&] { return ++renewals % 3 != 0 ? std::optional(net::test_answer(503)) : std::nullopt; });
  open();
  arrive("a");
  const Envelope taken = take();
  const auto until = Clock::now() + 5s;  // longer than it stays hidden by itself
  while (renewals < 6 || Clock::now() < until) {
    ASSERT_EQ(peer_.visible("work"), 0U) << "after " << renewals << " renewals";
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_TRUE(inbox_->acknowledge(taken)) << "with the latest receipt";
}

TEST_F(QueueInboxTest, WhatCouldNotBeRenewedIsLost) {
  options_.visibility = 1s;
  on_renewal([] { return std::optional(net::test_answer(503)); });
  open();
  arrive("a");
  const Envelope first = take();
  wait_until([&] { return peer_.visible("work") == 1; });
  EXPECT_TRUE(nothing_comes()) << "it came again, to us: but the blob is still being worked on";
  on_renewal([] { return std::nullopt; });
  EXPECT_EQ(inbox_->acknowledge(first).error().kind, ErrorKind::not_found);
  const Envelope second = take();
  EXPECT_GE(second.attempt, 2);
  EXPECT_TRUE(inbox_->acknowledge(second));
}

TEST_F(QueueInboxTest, WhatSomebodyElseHasIsLost) {
  options_.visibility = 1s;
  open();
  arrive("a");
  arrive("b");
  const Envelope noticed = take();
  const Envelope unnoticed = take();
  peer_.steal("work");
  EXPECT_EQ(inbox_->acknowledge(unnoticed).error().kind, ErrorKind::not_found);
  wait_until([&] {
    const auto requests = peer_.requests();
    return std::ranges::count(requests, "PUT", &net::TestRequest::method) >= 1;
  });
  EXPECT_EQ(inbox_->retry(noticed, 0ms).error().kind, ErrorKind::not_found);
  EXPECT_EQ(peer_.length("work"), 2U);
}

TEST_F(QueueInboxTest, WhatIsNoEventIsDeadLettered) {
  peer_.put("work", "hello");
  arrive("a");
  open();
  EXPECT_EQ(take().blob, "a");
  EXPECT_TRUE(nothing_comes());
  wait_until([&] { return peer_.length("work") == 1; });
  const auto letters = peer_.texts("work-poison");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(
      base64_decoded(letters[0]),
      R"({"reason":"the text is no event of Event Grid","blob":null,"etag":null,"attempts":1,"message":"hello"})");
}

TEST_F(QueueInboxTest, ADeadLetterThatCannotBeWrittenComesAgain) {
  options_.visibility = 1s;
  std::atomic<bool> away = true;
  peer_.set_fault([&](const net::TestRequest& request) {
    const bool poison = request.target.find("-poison") != std::string::npos;
    return away && poison ? std::optional(net::test_answer(503)) : std::nullopt;
  });
  peer_.put("work", "hello");
  open();
  EXPECT_TRUE(nothing_comes());
  EXPECT_EQ(peer_.length("work"), 1U);
  away = false;
  std::thread taker([&] { EXPECT_FALSE(inbox_->take(ample).value()); });
  wait_until([&] { return peer_.length("work") == 0; });
  EXPECT_EQ(peer_.length("work-poison"), 1U);
  inbox_->stop();
  taker.join();
}

TEST_F(QueueInboxTest, TheTakersDeadLetters) {
  open();
  arrive("a");
  const Envelope taken = take();
  ASSERT_TRUE(inbox_->dead_letter(taken, "tried 5 times"));
  EXPECT_EQ(peer_.length("work"), 0U);
  const auto letters = peer_.texts("work-poison");
  ASSERT_EQ(letters.size(), 1U);
  const std::string letter = base64_decoded(letters[0]).value();
  EXPECT_THAT(letter, HasSubstr(R"({"reason":"tried 5 times","blob":"a","etag":"0x8D","attempts":1,"message":"{)"));
  EXPECT_EQ(inbox_->dead_letter(taken, "again").error().kind, ErrorKind::not_found);
}

TEST_F(QueueInboxTest, OfNoInterest) {
  peer_.put("work", base64_encoded(event("a", "other")));
  peer_.put("work", base64_encoded(cloud_event_of("https://someone.blob.core.windows.net/in/a")));
  peer_.put("work", testing::grid_event("{}", "", "Microsoft.Storage.BlobDeleted"));
  open();
  EXPECT_TRUE(nothing_comes());
  wait_until([&] { return !inbox_->take(0ms).value() && peer_.length("work") == 0; });
  EXPECT_THAT(peer_.texts("work-poison"), IsEmpty());
}

TEST_F(QueueInboxTest, SeveralArrivalsInOneMessage) {
  peer_.put("work", base64_encoded("[" + event("a") + "," + event("b") + "," + event("x", "other") + "]"));
  open();
  const Envelope first = take();
  const Envelope second = take();
  EXPECT_EQ((std::set{first.blob, second.blob}), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(first.etag, "0x8D");
  EXPECT_TRUE(inbox_->acknowledge(first));
  EXPECT_TRUE(inbox_->acknowledge(second));
  EXPECT_EQ(peer_.length("work"), 0U);
}

TEST_F(QueueInboxTest, AQueueMayComeLater) {
  std::atomic<bool> there = false;
  peer_.set_fault([&](const auto&) {
    return there ? std::nullopt : std::optional(testing::QueuePeer::refuse(404, "QueueNotFound"));
  });
  open();
  EXPECT_TRUE(nothing_comes()) << "and no error";
  there = true;
  arrive("a");
  EXPECT_EQ(take().blob, "a");
}

TEST_F(QueueInboxTest, StopWakesTakersAtOnce) {
  options_.first_idle_wait = options_.last_idle_wait = 1h;
  open();
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) takers.emplace_back([&] { EXPECT_FALSE(inbox_->take(1h).value()); });
  wait_until([&] { return !peer_.requests().empty(); });
  const auto start = Clock::now();
  inbox_->stop();
  for (std::thread& taker : takers) taker.join();
  EXPECT_LT(Clock::now() - start, ample) << "of an hour";
  arrive("a");
  EXPECT_FALSE(inbox_->take(0ms).value());
}

TEST_F(QueueInboxTest, AbandonGivesEverythingBack) {
  open();
  arrive("a");
  const Envelope taken = take();
  arrive("a");
  EXPECT_TRUE(nothing_comes());
  EXPECT_EQ(peer_.visible("work"), 0U) << "one in work, one waits for it";
  inbox_->abandon();
  EXPECT_EQ(peer_.visible("work"), 2U);
  EXPECT_EQ(inbox_->acknowledge(taken).error().kind, ErrorKind::not_found);
  inbox_ = make();
  EXPECT_EQ(take().attempt, 2);
}

TEST_F(QueueInboxTest, ItsEndGivesBackWhatNobodyHadYet) {
  open();
  arrive("a");
  take();
  arrive("a");
  EXPECT_TRUE(nothing_comes());
  inbox_.reset();
  EXPECT_EQ(peer_.visible("work"), 1U) << "who had the other one may have died over it";
}

TEST_F(QueueInboxTest, AnEndIsNotHeldUpByAServiceThatIsAway) {
  open();
  for (const char* blob : {"a", "b", "c"}) {
    arrive(blob);
    take();
  }
  std::atomic<int> tries = 0;
  on_renewal([&] { return ++tries, std::optional(net::test_answer(503)); });
  inbox_->abandon();
  EXPECT_EQ(tries, 1);
}

TEST_F(QueueInboxTest, ASweepMakesUpForLostEvents) {
  pending_ = {{"lost.csv", "v1"}};
  options_.sweep.interval = 5ms;
  open();
  Envelope taken = take();
  EXPECT_EQ(taken.blob, "lost.csv");
  EXPECT_EQ(taken.etag, "v1");
  ASSERT_TRUE(inbox_->acknowledge(taken));
  const int before = sweeps_;
  wait_until([&] { return sweeps_ >= before + 5; });
  EXPECT_TRUE(nothing_comes()) << "a worker is done with it, though no result came of it";
}

TEST_F(QueueInboxTest, WhatEndsWhileASweepLooksIsNotLost) {
  arrive("a");
  open();
  const Envelope taken = take();
  wait_until([&] { return sweeps_ == 1; });
  const std::unique_ptr<Inbox> another = std::move(inbox_);
  bool ended = false;
  {
    const std::lock_guard lock(mutex_);
    pending_ = {{"a", "0x8D"}};
    after_look_ = [&] {
      if (sweeps_ < 4 || std::exchange(ended, true)) return;
      pending_.clear();  // it has its result
      EXPECT_TRUE(another->acknowledge(taken));
    };
  }
  options_.sweep.interval = 5ms;
  open();
  wait_until([&] { return sweeps_ >= 6; });
  EXPECT_TRUE(nothing_comes());
  EXPECT_EQ(peer_.length("work"), 0U) << "nobody needs to be told of it once more";
  inbox_.reset();  // before what it asks
}

TEST_F(QueueInboxTest, ASweepLooksThoughTheQueueIsAway) {
  pending_ = {{"lost.csv", "v1"}};
  options_.sweep.interval = 5ms;
  peer_.put("work", base64_encoded(event("other.csv")));
  open();
  wait_until([&] { return sweeps_ >= 2; });
  peer_.set_fault([](const auto&) { return testing::QueuePeer::refuse(503, "ServerBusy"); });
  wait_until([&, before = sweeps_.load()] { return sweeps_ >= before + 3; });
}

TEST_F(QueueInboxTest, ASweepLeavesToTheQueueWhatMayBeInIt) {
  pending_ = {{"lost.csv", "v1"}};
  options_.sweep.interval = 5ms;
  options_.sweep_patience = 700ms;
  peer_.put("work", base64_encoded(event("other.csv")));
  open();
  const auto start = Clock::now();
  EXPECT_EQ(take().blob, "other.csv");
  EXPECT_EQ(take().blob, "lost.csv") << "after some time it counts as lost all the same";
  EXPECT_GE(Clock::now() - start, 690ms);
  EXPECT_TRUE(nothing_comes()) << "it is told of once, and is in work here";
}

}  // namespace
}  // namespace dropscore::event
