#include "app/worker/worker.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <semaphore>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/shown_metric.h"
#include "tests/support/tiny_model.h"

namespace dropscore::app {
namespace {

using dropscore::testing::ForwardingStore;
using ::testing::HasSubstr;

/// Hands out what a test puts in, retries at once, and remembers how each arrival ended.
class ScriptedInbox final : public event::Inbox {
 public:
  void put(const std::string& blob, int attempt = 1, const std::optional<std::string>& etag = std::nullopt) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({blob, etag, attempt, blob});
    changed_.notify_all();
  }
  void put_event(const std::string& blob, std::chrono::system_clock::time_point time) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({.blob = blob, .etag = {}, .attempt = 1, .receipt = blob, .event_time = time});
    changed_.notify_all();
  }
  Result<std::optional<event::Envelope>> take(std::chrono::milliseconds wait) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_ || waiting_.empty()) return std::optional<event::Envelope>();
    event::Envelope next = waiting_.front();
    waiting_.pop_front();
    return std::optional(next);
  }
  Status acknowledge(const event::Envelope& envelope) override {
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back(envelope.blob);
    changed_.notify_all();
    return {};
  }
  Status retry(const event::Envelope& envelope, std::chrono::milliseconds delay) override {
    delays_.push_back(delay);
    put(envelope.blob, envelope.attempt + 1);
    return {};
  }
  Status dead_letter(const event::Envelope& envelope, std::string_view reason) override {
    {
      const std::lock_guard lock(mutex_);
      dead_letters_.emplace_back(reason);
    }
    return acknowledge(envelope);
  }
  void forget_done() override { ++forgotten_; }
  int forgotten() const { return forgotten_; }
  void stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  std::vector<std::string> wait_for_acknowledged(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return acknowledged_.size() >= count; }));
    return acknowledged_;
  }
  void wait_for_stop() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [this] { return stopped_; }));
  }
  std::vector<std::chrono::milliseconds> delays() const { return delays_; }
  std::vector<std::string> dead_letters() {
    const std::lock_guard lock(mutex_);
    return dead_letters_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<event::Envelope> waiting_;
  std::vector<std::string> acknowledged_;
  std::vector<std::string> dead_letters_;
  std::vector<std::chrono::milliseconds> delays_;
  std::atomic<int> forgotten_ = 0;
  bool stopped_ = false;
};

/// An input store whose reads fail for a while.
class FailingStore final : public ForwardingStore {
 public:
  FailingStore(store::BlobStore& inner, int failures) : ForwardingStore(inner), failures_(failures) {}
  Result<store::BlobProperties> properties(std::string_view name) override {
    if (failures_-- > 0) return fail(ErrorKind::try_later, "the network is away");
    return inner().properties(name);
  }

 private:
  int failures_;
};

class WorkerTest : public ::testing::Test {
 protected:
  void drop(const std::string& name) {
    ASSERT_TRUE(store::write_all(*input_, name, "Age,Channel\n50,SEO\n", store::WriteCondition::always(), {}));
  }
  std::string result(const std::string& name) {
    return store::read_all(*output_, job::result_name(name), 1 << 20).value_or("absent");
  }
  WorkerOptions one_thread() const {
    WorkerOptions options;
    options.threads = 1;
    return options;
  }

  std::unique_ptr<store::BlobStore> input_ = store::make_memory_store("input-data");
  std::unique_ptr<store::BlobStore> output_ = store::make_memory_store("output-results");
  ScriptedInbox inbox_;
  std::shared_ptr<const job::FileScorer> scorer_ = job::file_scorer(job::Scorer(dropscore::testing::tiny_model()));
};

TEST_F(WorkerTest, ScoresWhatArrivesAndAcknowledgesIt) {
  for (const char* name : {"a.csv", "b.csv", "c.csv"}) drop(name);
  Worker worker({input_.get(), output_.get()}, inbox_, [this] { return scorer_; }, {});
  for (const char* name : {"a.csv", "b.csv", "c.csv", "gone.csv"}) inbox_.put(name);
  EXPECT_THAT(inbox_.wait_for_acknowledged(4), ::testing::UnorderedElementsAre("a.csv", "b.csv", "c.csv", "gone.csv"));
  EXPECT_THAT(result("b.csv"), HasSubstr("\"success\":true"));
  EXPECT_EQ(result("gone.csv"), "absent");
}

TEST_F(WorkerTest, RetriesFaultsOfTheStoreWithGrowingDelays) {
  drop("a.csv");
  FailingStore flaky(*input_, limits::max_attempts - 1);
  Worker worker(
      {&flaky, output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv");
  inbox_.wait_for_acknowledged(1);
  EXPECT_THAT(result("a.csv"), HasSubstr("\"processing_status\":\"success\""));
  const auto delays = inbox_.delays();
  ASSERT_EQ(delays.size(), 4U);
  for (std::size_t i = 1; i < delays.size(); ++i) EXPECT_GT(delays[i], delays[i - 1]);
}

TEST_F(WorkerTest, SetsAsideAfterFiveTriesWithADocument) {
  drop("a.csv");
  FailingStore broken(*input_, 1000);
  Worker worker(
      {&broken, output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv");
  inbox_.wait_for_acknowledged(1);
  EXPECT_THAT(result("a.csv"), HasSubstr("tried 5 times"));
  EXPECT_THAT(inbox_.dead_letters(), ::testing::ElementsAre(HasSubstr("tried 5 times")));
}

/// An output store that takes nothing for a while.
class FullStore final : public ForwardingStore {
 public:
  FullStore(store::BlobStore& inner, int failures) : ForwardingStore(inner), failures_(failures) {}
  Result<std::unique_ptr<store::BlobWriter>> create(std::string_view name,
                                                    const store::WriteCondition& condition) override {
    if (failures_-- > 0) return fail(ErrorKind::try_later, "the disk is full");
    return inner().create(name, condition);
  }

 private:
  int failures_;
};

TEST_F(WorkerTest, WhereNoDocumentCanBeWrittenTheFileComesAgain) {
  drop("a.csv");
  FullStore full(*output_, 2 * 3 + 1);  // deliveries 5 to 7 fail to publish and to set aside, the eighth to publish
  Worker worker(
      {input_.get(), &full}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", limits::max_attempts);
  inbox_.wait_for_acknowledged(1);
  EXPECT_THAT(result("a.csv"), HasSubstr("tried 8 times"));
  EXPECT_EQ(inbox_.dead_letters().size(), 1U);
  const auto delays = inbox_.delays();
  ASSERT_EQ(delays.size(), 3U);
  for (std::size_t i = 1; i < delays.size(); ++i) EXPECT_GT(delays[i], delays[i - 1]);
}

TEST_F(WorkerTest, OrIsScoredOnceStorageIsBack) {
  drop("a.csv");
  FullStore full(*output_, 2 * 3);
  Worker worker(
      {input_.get(), &full}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", limits::max_attempts);
  inbox_.wait_for_acknowledged(1);
  EXPECT_THAT(result("a.csv"), HasSubstr("\"processing_status\":\"success\""));
  EXPECT_TRUE(inbox_.dead_letters().empty());
}

TEST_F(WorkerTest, WithoutADocumentFromTheTwentiethDeliveryOn) {
  drop("a.csv");
  FullStore full(*output_, 1000);
  Worker worker(
      {input_.get(), &full}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", limits::max_attempts);
  inbox_.wait_for_acknowledged(1);
  EXPECT_EQ(result("a.csv"), "absent");
  EXPECT_THAT(inbox_.dead_letters(), ::testing::ElementsAre(HasSubstr("tried 20 times")));
  EXPECT_EQ(inbox_.delays().size(), 15U);
  EXPECT_LT(inbox_.delays().back(), std::chrono::seconds(97));
}

TEST_F(WorkerTest, WorkersThatDiedDoNotCondemnAFileUntilTheTwentiethDelivery) {
  for (const char* name : {"a.csv", "b.csv"}) drop(name);
  Worker worker(
      {input_.get(), output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", 20);
  inbox_.put("b.csv", 21);
  inbox_.wait_for_acknowledged(2);
  EXPECT_THAT(result("a.csv"), HasSubstr("\"processing_status\":\"success\""));
  EXPECT_THAT(result("b.csv"), HasSubstr("tried 21 times"));
  EXPECT_EQ(inbox_.dead_letters().size(), 1U);
}

TEST_F(WorkerTest, AFinishedFileGetsNoDeadLetter) {
  drop("a.csv");
  const std::string etag = input_->properties("a.csv")->info.etag;
  Worker worker(
      {input_.get(), output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", 1, etag);
  inbox_.wait_for_acknowledged(1);
  const std::string scored = result("a.csv");
  inbox_.put("a.csv", 21, etag);
  inbox_.wait_for_acknowledged(2);
  EXPECT_EQ(result("a.csv"), scored);
  EXPECT_TRUE(inbox_.dead_letters().empty());
}

TEST_F(WorkerTest, WhatBecomesOfFilesIsCounted) {
  using dropscore::testing::MetricGrowth;
  const auto outcome = [](const std::string& name) {
    return MetricGrowth("dropscore_files_total{outcome=\"" + name + "\"}");
  };
  const auto refused = [](const std::string& reason) {
    return MetricGrowth("dropscore_rows_rejected_total{reason=\"" + reason + "\",source=\"file\"}");
  };
  const MetricGrowth scored = outcome("scored");
  const MetricGrowth error_document = outcome("error_document");
  const MetricGrowth already_done = outcome("already_done");
  const MetricGrowth gone = outcome("gone");
  const MetricGrowth durations("dropscore_file_duration_seconds_count");
  const MetricGrowth given_up(R"(dropscore_poison_total{reason="deliveries_used_up"})");
  const MetricGrowth rows(R"(dropscore_rows_scored_total{source="file"})");
  const MetricGrowth hexadecimal = refused("hexadecimal");
  const MetricGrowth not_a_number = refused("not_a_number");

  const auto put = [this](const char* name, const char* text) {
    ASSERT_TRUE(store::write_all(*input_, name, text, store::WriteCondition::always(), {}));
  };
  drop("a.csv");
  put("bad.csv", "Age,Channel\n50,SEO\n0x1,SEO\n");
  put("none.csv", "Age,Channel\nx,SEO\n");
  Worker worker(
      {input_.get(), output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  for (const char* name : {"a.csv", "bad.csv", "none.csv", "gone.csv", "a.csv"}) inbox_.put(name);
  inbox_.put("often.csv", 21);
  inbox_.wait_for_acknowledged(6);
  worker.stop();
  EXPECT_EQ(scored(), 2);
  EXPECT_EQ(error_document(), 1);
  EXPECT_EQ(already_done(), 1);
  EXPECT_EQ(gone(), 1);
  EXPECT_EQ(durations(), 5);
  EXPECT_EQ(given_up(), 1);
  EXPECT_EQ(rows(), 2);
  EXPECT_EQ(hexadecimal(), 1);
  EXPECT_EQ(not_a_number(), 1);
  EXPECT_EQ(dropscore::testing::shown_metric("dropscore_files_in_progress"), 0);
}

TEST_F(WorkerTest, TheTimeFromEventToResultIsThatOfPublishedResultsWithAnEvent) {
  for (const char* name : {"a.csv", "swept.csv"}) drop(name);
  Worker worker(
      {input_.get(), output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  const dropscore::testing::MetricGrowth results("dropscore_event_to_result_seconds_count");
  const dropscore::testing::MetricGrowth seconds("dropscore_event_to_result_seconds_sum");
  inbox_.put_event("a.csv", std::chrono::system_clock::now() - std::chrono::seconds(100));
  inbox_.put("swept.csv");
  inbox_.put_event("a.csv", std::chrono::system_clock::now() - std::chrono::seconds(500));  // done already
  inbox_.wait_for_acknowledged(3);
  worker.stop();
  EXPECT_EQ(results(), 1);
  EXPECT_GE(seconds(), 100);
  EXPECT_LT(seconds(), 400);
}

/// Says when it is asked, and answers with a fault once it may.
class HeldStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<store::BlobProperties> properties(std::string_view) override {
    asked.release();
    may_fail.acquire();
    return fail(ErrorKind::try_later, "the network is away");
  }

  std::binary_semaphore asked{0};
  std::binary_semaphore may_fail{0};
};

TEST_F(WorkerTest, AFaultWhileStoppingIsForOthersToTryAgain) {
  HeldStore store(*input_);
  Worker worker(
      {&store, output_.get()}, inbox_, [this] { return scorer_; }, one_thread());
  inbox_.put("a.csv", limits::max_attempts);
  store.asked.acquire();
  std::thread stopping([&worker] { worker.stop(); });
  inbox_.wait_for_stop();
  store.may_fail.release();
  stopping.join();
  EXPECT_THAT(inbox_.delays(), ::testing::ElementsAre(std::chrono::milliseconds(0)));
  EXPECT_TRUE(inbox_.dead_letters().empty());
  EXPECT_EQ(result("a.csv"), "absent");
}

TEST_F(WorkerTest, AFileOfAModelThatWasReplacedMeanwhileIsToBeFoundAgain) {
  drop("a.csv");
  const auto other = job::file_scorer(job::Scorer(dropscore::testing::tiny_model(0.9)));
  for (const bool rescore : {false, true}) {
    ScriptedInbox inbox;
    std::atomic<int> asked = 0;
    WorkerOptions options = one_thread();
    options.rescore = rescore;
    Worker worker(
        {input_.get(), output_.get()}, inbox, [&] { return asked++ == 0 ? scorer_ : other; }, options);
    inbox.put("a.csv");
    inbox.wait_for_acknowledged(1);
    worker.stop();
    EXPECT_EQ(inbox.forgotten(), rescore ? 1 : 0);
  }
}

}  // namespace
}  // namespace dropscore::app
