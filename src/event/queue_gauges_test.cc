#include "event/queue_gauges.h"

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/queue_test_peer.h"
#include "telemetry/metrics.h"
#include "tests/support/shown_metric.h"

namespace dropscore::event {
namespace {

using namespace std::chrono_literals;
using dropscore::testing::shown_metric;

template <class Condition>
bool soon(const Condition& condition) {
  const auto until = QueueGauges::Clock::now() + 20s;
  while (!condition()) {
    if (QueueGauges::Clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

TEST(QueueGauges, TellLengthAndAge) {
  testing::QueuePeer peer;
  peer.make("scoring");
  peer.put("scoring", "one");
  peer.put("scoring", "two");
  QueueGauges gauges(peer.account(), "scoring", std::make_shared<net::HttpClient>(), 5ms);
  EXPECT_TRUE(soon([] { return shown_metric("dropscore_queue_messages") == 2; }));
  EXPECT_TRUE(soon([] { return shown_metric("dropscore_queue_oldest_message_age_seconds") >= 1; }));
  EXPECT_GT(shown_metric("dropscore_queue_last_look_timestamp_seconds"), 1.6e9);
}

TEST(QueueGauges, AnEmptyQueueHasNoAge) {
  testing::QueuePeer peer;
  peer.make("scoring");
  telemetry::set(telemetry::Metric::queue_age, 7);
  QueueGauges gauges(peer.account(), "scoring", std::make_shared<net::HttpClient>(), 5ms);
  EXPECT_TRUE(soon([] { return shown_metric("dropscore_queue_oldest_message_age_seconds") == 0; }));
}

TEST(QueueGauges, SayWhenTheQueueLastAnswered) {
  testing::QueuePeer peer;
  peer.make("scoring");
  QueueGauges gauges(peer.account(), "scoring", std::make_shared<net::HttpClient>(), 5ms);
  const auto first = gauges.last_answer();
  EXPECT_TRUE(soon([&] { return gauges.last_answer() > first; }));
  peer.set_fault([](const net::TestRequest&) { return testing::QueuePeer::refuse(503, "ServerBusy"); });
  // A look asks at most twice: what was under way is over when the third request has come.
  const auto asked_again = [&](std::size_t times) {
    const std::size_t before = peer.requests().size();
    return soon([&] { return peer.requests().size() >= before + times; });
  };
  EXPECT_TRUE(asked_again(3));
  const auto last = gauges.last_answer();
  EXPECT_TRUE(asked_again(3));
  EXPECT_EQ(gauges.last_answer(), last);
}

}  // namespace
}  // namespace dropscore::event
