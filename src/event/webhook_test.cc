#include "event/webhook.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/event_test_util.h"

namespace dropscore::event {
namespace {

using testing::cloud_event;
using testing::created_data;
using ::testing::ElementsAre;
using testing::grid_event;
using ::testing::IsEmpty;
using testing::url_of;

MATCHER_P(Blob, name, "") { return arg.blob == name; }

const WebhookScope scope{"acct", "in"};

WebhookReply post(const std::string& body, std::string_view aeg_event_type = "Notification",
                  std::string_view content_type = "application/json; charset=utf-8") {
  return answer_webhook(
      {.method = "POST", .content_type = content_type, .aeg_event_type = aeg_event_type, .body = body}, scope);
}

std::map<std::string, std::string> headers(const WebhookReply& reply) {
  std::map<std::string, std::string> all;
  for (const WebhookHeader& header : reply.headers) all.emplace(header.name, header.value);
  return all;
}

TEST(Webhook, AnswersEventGridsHandshake) {
  const std::string validation =
      grid_event(R"({"validationCode":"512d38b6-\"x","validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/x"})",
                 "", "Microsoft.EventGrid.SubscriptionValidationEvent");
  const WebhookReply reply = post("[" + validation + "]", "SubscriptionValidation");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body, R"({"validationResponse":"512d38b6-\"x"})");
  EXPECT_THAT(reply.arrivals, IsEmpty());
}

TEST(Webhook, AnswersCloudEventsHandshake) {
  const WebhookReply reply = answer_webhook(
      {.method = "OPTIONS", .webhook_request_origin = "eventgrid.azure.net", .webhook_request_rate = "120"}, scope);
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(headers(reply), (std::map<std::string, std::string>{{"Allow", "POST, OPTIONS"},
                                                                {"WebHook-Allowed-Origin", "eventgrid.azure.net"},
                                                                {"WebHook-Allowed-Rate", "120"}}));
  for (const char* rate : {"", "many", "1200000000000"}) {
    const WebhookReply other = answer_webhook(
        {.method = "OPTIONS", .webhook_request_origin = "eventgrid.azure.net", .webhook_request_rate = rate}, scope);
    EXPECT_EQ(headers(other)["WebHook-Allowed-Rate"], "*") << rate;
  }
}

TEST(Webhook, RefusesAHandshakeWithoutOrigin) {
  for (const std::string& origin : {std::string(), std::string("a\r\nb"), std::string("a b"), std::string(256, 'a')}) {
    const WebhookReply reply = answer_webhook({.method = "OPTIONS", .webhook_request_origin = origin}, scope);
    EXPECT_EQ(reply.status, 400U) << origin;
    EXPECT_FALSE(reply.refusal.empty());
    EXPECT_THAT(reply.headers, IsEmpty());
  }
}

TEST(Webhook, TellsOfArrivalsInItsScope) {
  const auto event = [](std::string_view container, std::string_view blob) {
    return created_data(url_of(container, blob));
  };
  const std::string other_account = created_data(url_of("in", "x", "https://other.blob.core.windows.net"));
  const std::string body = "[" + grid_event(event("in", "a b.csv")) + "," + grid_event(event("out", "a.json")) + "," +
                           grid_event(other_account) + "," +
                           grid_event(event("in", "gone.csv"), "", "Microsoft.Storage.BlobDeleted") + "," +
                           grid_event(event("in", "c.csv")) + "]";
  const WebhookReply reply = post(body);
  EXPECT_EQ(reply.status, 200U);
  EXPECT_THAT(reply.arrivals, ElementsAre(Blob("a b.csv"), Blob("c.csv")));
  EXPECT_EQ(reply.body, "");
}

TEST(Webhook, TakesCloudEventsAloneAndInBatches) {
  const std::string one = cloud_event(created_data(url_of("in", "a.csv")));
  EXPECT_THAT(post(one, "", "application/cloudevents+json; charset=utf-8").arrivals, ElementsAre(Blob("a.csv")));
  EXPECT_THAT(post("[" + one + "]", "", "Application/CloudEvents-Batch+JSON").arrivals, ElementsAre(Blob("a.csv")));
}

TEST(Webhook, AnArrivalHasItsEventsTrace) {
  const std::string data = created_data(url_of("in", "a.csv"));
  const WebhookReply reply = post(
      "[" + cloud_event(data) + "," + cloud_event(data, "", "Microsoft.Storage.BlobCreated", testing::traced) + "]", "",
      "application/cloudevents-batch+json");
  ASSERT_EQ(reply.arrivals.size(), 2U);
  EXPECT_FALSE(reply.arrivals[0].trace.has_trace());
  EXPECT_EQ(telemetry::traceparent(reply.arrivals[1].trace), testing::a_traceparent);
}

TEST(Webhook, ADeletedSubscriptionIsNoFault) {
  const WebhookReply reply = post("", "SubscriptionDeletion");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_THAT(reply.arrivals, IsEmpty());
}

TEST(Webhook, RefusesWhatItCannotRead) {
  const std::string good = grid_event(created_data(url_of("in", "a.csv")));
  EXPECT_EQ(post("{").status, 400U);
  EXPECT_EQ(post("").status, 400U);
  EXPECT_EQ(post("{\"id\":1}").status, 400U);
  EXPECT_FALSE(post("{").refusal.empty());
  EXPECT_EQ(post(std::string(max_event_bytes + 1, ' ')).status, 413U);
  for (const char* type : {"", "text/plain", "application/xml", "text/json", "application/jsonx"}) {
    EXPECT_EQ(post(good, "Notification", type).status, 415U) << type;
  }
  const WebhookReply get = answer_webhook({.method = "GET"}, scope);
  EXPECT_EQ(get.status, 405U);
  EXPECT_EQ(headers(get)["Allow"], "POST, OPTIONS");
}

}  // namespace
}  // namespace dropscore::event
