// Batches, retries, what is dropped, and how it ends. The bytes are otlp_test.cc's.
#include "telemetry/span_exporter.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/shown_metric.h"

namespace dropscore::telemetry {
namespace {

using dropscore::testing::MetricGrowth;

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// Answers in the order that it was told to, then with 200; can hold its answers back.
class Collector {
 public:
  Send send() {
    return [this](const std::string& body, const Deadline& deadline,
                  const std::stop_token& cancelled) -> Result<SendReply> {
      std::unique_lock lock(mutex_);
      bodies_.push_back(body);
      changed_.notify_all();
      changed_.wait_for(lock, cancelled, deadline.left(milliseconds(60'000)), [this] { return !held_; });
      if (held_) return fail(ErrorKind::try_later, "no answer in time");
      if (answers_.empty()) return SendReply{.status = 200, .retry_after = {}, .body = {}};
      Result<SendReply> answer = std::move(answers_.front());
      answers_.pop_front();
      return answer;
    };
  }
  void will_answer(int status, std::optional<milliseconds> retry_after = {}, std::string body = {}) {
    answers_.push_back(SendReply{status, retry_after, std::move(body)});
  }
  void will_fail() { answers_.push_back(fail(ErrorKind::try_later, "no connection")); }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  bool wait_for(std::size_t bodies) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(30), [&] { return bodies_.size() >= bodies; });
  }
  std::size_t calls() {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Result<SendReply>> answers_;
  std::vector<std::string> bodies_;
  bool held_ = false;
};

TraceSettings quick() {
  TraceSettings settings;
  settings.endpoint = "http://collector/v1/traces";
  settings.delay = milliseconds(1);
  return settings;
}

FinishedSpan span() {
  FinishedSpan made;
  made.name = "work";
  made.identity.recorded = true;
  return made;
}

TEST(SpanExporter, SendsAfterItsDelay) {
  Collector collector;
  SpanExporter exporter(quick(), collector.send());
  exporter.add(span());
  EXPECT_TRUE(collector.wait_for(1));
  exporter.stop(seconds(5));
  EXPECT_EQ(exporter.counts().sent, 1U);
}

TEST(SpanExporter, AFullBatchDoesNotWait) {
  Collector collector;
  TraceSettings settings = quick();
  settings.delay = std::chrono::hours(1);
  settings.max_batch = 3;
  SpanExporter exporter(settings, collector.send());
  for (int i = 0; i < 3; ++i) exporter.add(span());
  EXPECT_TRUE(collector.wait_for(1));
}

TEST(SpanExporter, StopSendsTheRestInBatches) {
  Collector collector;
  TraceSettings settings = quick();
  settings.delay = std::chrono::hours(1);
  settings.max_batch = 4;
  SpanExporter exporter(settings, collector.send());
  for (int i = 0; i < 10; ++i) exporter.add(span());
  exporter.stop(seconds(30));
  EXPECT_EQ(exporter.counts().sent, 10U);
  EXPECT_EQ(collector.calls(), 3U);
  exporter.add(span());
  EXPECT_EQ(exporter.counts().dropped, 1U) << "nothing is taken any more";
}

TEST(SpanExporter, AFullQueueDropsAndNeverBlocks) {
  const MetricGrowth dropped("dropscore_spans_lost_total{reason=\"dropped\"}");
  Collector collector;
  collector.hold(true);
  TraceSettings settings = quick();
  settings.max_queue = 5;
  settings.max_batch = 5;
  SpanExporter exporter(settings, collector.send());
  exporter.add(span());
  ASSERT_TRUE(collector.wait_for(1));  // the first is under way
  const Clock::time_point begun = Clock::now();
  for (int i = 0; i < 100; ++i) exporter.add(span());
  EXPECT_LT(Clock::now() - begun, seconds(5));
  EXPECT_EQ(exporter.counts().dropped, 95U);
  EXPECT_EQ(dropped(), 95);
  collector.hold(false);
  exporter.stop(seconds(30));
  EXPECT_EQ(exporter.counts().sent, 6U);
}

TEST(SpanExporter, TriesAgainWhereTheProtocolSaysSo) {
  for (const int status : {429, 502, 503, 504}) {
    Collector collector;
    collector.will_answer(status, milliseconds(1));
    SpanExporter exporter(quick(), collector.send());
    exporter.add(span());
    EXPECT_TRUE(collector.wait_for(2)) << status;
    exporter.stop(seconds(30));
    EXPECT_EQ(exporter.counts().sent, 1U) << status;
  }
}

TEST(SpanExporter, AConnectionThatFailsIsTriedAgain) {
  Collector collector;
  collector.will_fail();
  SpanExporter exporter(quick(), collector.send());
  exporter.add(span());
  EXPECT_TRUE(collector.wait_for(2));
  exporter.stop(seconds(30));
  EXPECT_EQ(exporter.counts().sent, 1U);
}

TEST(SpanExporter, GivesUpAfterFiveTries) {
  const MetricGrowth failed("dropscore_spans_lost_total{reason=\"failed\"}");
  Collector collector;
  for (int i = 0; i < 5; ++i) collector.will_answer(503, milliseconds(1));
  SpanExporter exporter(quick(), collector.send());
  exporter.add(span());
  EXPECT_TRUE(collector.wait_for(5));
  exporter.stop(seconds(30));
  EXPECT_EQ(collector.calls(), 5U);
  EXPECT_EQ(exporter.counts().failed, 1U);
  EXPECT_EQ(failed(), 1);
}

TEST(SpanExporter, ARefusalIsFinal) {
  for (const int status : {400, 401, 404, 408, 413, 500}) {
    Collector collector;
    collector.will_answer(status);
    SpanExporter exporter(quick(), collector.send());
    exporter.add(span());
    EXPECT_TRUE(collector.wait_for(1));
    exporter.stop(seconds(30));
    EXPECT_EQ(collector.calls(), 1U) << status;
    EXPECT_EQ(exporter.counts().failed, 1U);
  }
}

TEST(SpanExporter, ReadsAPartialSuccess) {
  Collector collector;
  collector.will_answer(200, {},
                        std::string("\x0a\x07\x08\x02\x12\x03"
                                    "bad",
                                    9));
  TraceSettings settings = quick();
  settings.delay = std::chrono::hours(1);
  SpanExporter exporter(settings, collector.send());
  for (int i = 0; i < 5; ++i) exporter.add(span());
  ::testing::internal::CaptureStderr();
  exporter.stop(seconds(30));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("spans_rejected spans=2 error=bad"));
  EXPECT_EQ(exporter.counts().sent, 3U);
  EXPECT_EQ(exporter.counts().failed, 2U);
}

TEST(SpanExporter, ACollectorThatHangsDoesNotHoldUpTheEnd) {
  Collector collector;
  collector.hold(true);
  TraceSettings settings = quick();
  settings.timeout = seconds(60);
  SpanExporter exporter(settings, collector.send());
  exporter.add(span());
  ASSERT_TRUE(collector.wait_for(1));
  exporter.add(span());
  const Clock::time_point begun = Clock::now();
  exporter.stop(milliseconds(100));
  EXPECT_LT(Clock::now() - begun, seconds(30)) << "half of what the send under way might take";
  EXPECT_EQ(exporter.counts().failed, 2U);
}

TEST(SpanExporter, ThreadsMayAddAtOnce) {
  Collector collector;
  TraceSettings settings = quick();
  settings.max_queue = 100'000;
  SpanExporter exporter(settings, collector.send());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&exporter] {
      for (int i = 0; i < 1000; ++i) exporter.add(span());
    });
  }
  for (std::thread& thread : threads) thread.join();
  exporter.stop(seconds(30));
  EXPECT_EQ(exporter.counts().sent, 4000U);
}

}  // namespace
}  // namespace dropscore::telemetry
