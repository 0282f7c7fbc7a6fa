#include "event/azure_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/queue_test_peer.h"

namespace dropscore::event {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class AzureQueueTest : public ::testing::Test {
 protected:
  AzureQueueTest() { peer_.make("arrivals"); }

  static net::RetryPolicy soon() {
    net::RetryPolicy policy;
    policy.first_delay = 1ms;
    return policy;
  }
  /// Every request is answered so.
  void answer(const std::string& text) {
    peer_.set_fault([text](const auto&) { return std::optional(text); });
  }

  testing::QueuePeer peer_;
  AzureQueue queue_{peer_.account(), "arrivals", std::make_shared<net::HttpClient>(), soon()};
};

TEST_F(AzureQueueTest, AMessagesWay) {
  ASSERT_TRUE(queue_.put("{\"id\":1}"));
  EXPECT_EQ(queue_.length().value(), 1U);
  const auto taken = queue_.take(5, 30s).value();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].text, base64_encoded("{\"id\":1}"));
  EXPECT_EQ(taken[0].dequeue_count, 1);
  EXPECT_TRUE(queue_.take(5, 30s).value().empty()) << "it is hidden";
  EXPECT_EQ(queue_.length().value(), 1U) << "but there";
  const auto receipt = queue_.extend(taken[0].id, taken[0].receipt, 60s);
  ASSERT_TRUE(receipt);
  EXPECT_NE(*receipt, taken[0].receipt);
  EXPECT_EQ(queue_.remove(taken[0].id, taken[0].receipt).error().kind, ErrorKind::not_found) << "an old receipt";
  ASSERT_TRUE(queue_.remove(taken[0].id, *receipt));
  EXPECT_EQ(queue_.length().value(), 0U);
  EXPECT_EQ(queue_.remove(taken[0].id, *receipt).error().kind, ErrorKind::not_found);
}

TEST_F(AzureQueueTest, WhatGoesOverTheWire) {
  queue_.put("x");
  const auto taken = queue_.take(7, 45s).value();
  queue_.extend(taken[0].id, taken[0].receipt, 0s).value();
  const auto requests = peer_.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].method + " " + requests[0].target, "POST /acct/arrivals/messages?messagettl=-1");
  EXPECT_EQ(requests[0].body, "<QueueMessage><MessageText>eA==</MessageText></QueueMessage>");
  EXPECT_EQ(requests[0].header("content-type"), "application/xml");
  EXPECT_EQ(requests[1].method, "GET");
  EXPECT_THAT(requests[1].target, HasSubstr("numofmessages=7"));
  EXPECT_THAT(requests[1].target, HasSubstr("visibilitytimeout=45"));
  EXPECT_EQ(requests[2].method, "PUT");
  EXPECT_EQ(requests[2].header("content-length"), "0");
  EXPECT_THAT(requests[2].target, HasSubstr("popreceipt=a%2Bb%2F"));
  EXPECT_THAT(requests[2].target, Not(HasSubstr("+")));
}

TEST_F(AzureQueueTest, TheOldestThatNobodyHasInHand) {
  EXPECT_EQ(queue_.oldest().value(), std::nullopt);
  ASSERT_TRUE(queue_.put("{}"));
  const auto put = queue_.oldest().value();
  ASSERT_TRUE(put);
  EXPECT_LT(std::chrono::system_clock::now() - *put, 60s);
  EXPECT_EQ(queue_.take(1, 30s).value().front().dequeue_count, 1) << "a look takes nothing";
  EXPECT_EQ(queue_.oldest().value(), std::nullopt);
  answer(net::test_answer(200, "<QueueMessagesList><QueueMessage/></QueueMessagesList>"));
  EXPECT_EQ(queue_.oldest().error().kind, ErrorKind::try_later);
}

TEST_F(AzureQueueTest, AMissingQueue) {
  AzureQueue other(peer_.account(), "other", std::make_shared<net::HttpClient>(), soon());
  EXPECT_EQ(other.length().error().kind, ErrorKind::not_found);
  EXPECT_EQ(other.take(1, 1s).error().kind, ErrorKind::not_found);
  EXPECT_EQ(other.put("x").error().kind, ErrorKind::not_found);
  EXPECT_TRUE(other.make());
  EXPECT_TRUE(other.make()) << "it is there already";
  EXPECT_EQ(other.length().value(), 0U);
}

TEST_F(AzureQueueTest, ARefusalToMakeIt) {
  answer(testing::QueuePeer::refuse(409, "QueueAlreadyExists"));
  EXPECT_TRUE(queue_.make()) << "with other metadata, which are not ours to judge";
  answer(testing::QueuePeer::refuse(403, "AuthorizationPermissionMismatch"));
  EXPECT_EQ(queue_.make().error().kind, ErrorKind::misuse);
  answer(testing::QueuePeer::refuse(409, "QueueBeingDeleted"));
  EXPECT_EQ(queue_.make().error().kind, ErrorKind::try_later);
  EXPECT_EQ(queue_.put("x").error().kind, ErrorKind::try_later);
}

TEST_F(AzureQueueTest, AQueueThatIsThereNeedsNoRightToMakeOne) {
  peer_.set_fault([](const net::TestRequest& request) -> std::optional<std::string> {
    if (request.method != "PUT") return std::nullopt;
    return testing::QueuePeer::refuse(403, "AuthorizationPermissionMismatch");
  });
  EXPECT_TRUE(queue_.make());
  peer_.set_fault([](const net::TestRequest& request) -> std::optional<std::string> {
    if (request.method == "PUT") return testing::QueuePeer::refuse(403, "AuthorizationPermissionMismatch");
    return testing::QueuePeer::refuse(404, "QueueNotFound");
  });
  EXPECT_EQ(queue_.make().error().kind, ErrorKind::misuse) << "there is none";
}

TEST_F(AzureQueueTest, ARemovalWhoseAnswerWasLostIsARemoval) {
  queue_.put("x");
  const auto taken = queue_.take(1, 30s).value();
  int tries = 0;
  peer_.set_fault([&](const net::TestRequest& request) -> std::optional<std::string> {
    if (++tries > 1) return std::nullopt;
    peer_.answer_properly(request);
    return net::test_answer(503);
  });
  EXPECT_TRUE(queue_.remove(taken[0].id, taken[0].receipt));
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(peer_.length("arrivals"), 0U);
}

TEST_F(AzureQueueTest, TriesAgainAndGivesUp) {
  int tries = 0;
  peer_.set_fault([&](const auto&) {
    ++tries;
    return std::optional(net::test_answer(503));
  });
  EXPECT_EQ(queue_.length().error().kind, ErrorKind::try_later);
  EXPECT_EQ(tries, soon().max_tries);
}

TEST_F(AzureQueueTest, AnswersThatCannotBe) {
  for (const char* body :
       {"", "<QueueMessagesList>", "no XML", "<QueueMessagesList><QueueMessage/></QueueMessagesList>"}) {
    answer(net::test_answer(200, body));
    EXPECT_EQ(queue_.take(1, 1s).error().kind, ErrorKind::try_later) << body;
  }
  for (const char* count : {"", "many", "-1", "99999999999999999999"}) {
    answer(net::test_answer(200, "", {{"x-ms-approximate-messages-count", count}}));
    EXPECT_EQ(queue_.length().error().kind, ErrorKind::try_later) << count;
  }
  answer(net::test_answer(204));
  EXPECT_EQ(queue_.extend("id", "receipt", 1s).error().kind, ErrorKind::try_later);
}

TEST_F(AzureQueueTest, AMessageHasALimit) {
  EXPECT_TRUE(queue_.put(std::string(AzureQueue::max_payload_bytes, 'x')));
  EXPECT_EQ(peer_.texts("arrivals").front().size(), 65536U);
  EXPECT_EQ(queue_.put(std::string(AzureQueue::max_payload_bytes + 1, 'x')).error().kind, ErrorKind::too_large);
}

}  // namespace
}  // namespace dropscore::event
