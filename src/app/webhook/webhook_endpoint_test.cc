// Event Grid's two handshakes and its deliveries, over real sockets.
#include "app/webhook/webhook_endpoint.h"

#include <mutex>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"

namespace dropscore::webhook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Heard {
  std::mutex mutex;
  std::vector<std::string> blobs;
  std::vector<telemetry::TraceContext> traces;
};

const std::string key = "0123456789abcdef-key";

class WebhookTest : public testing::Test {
 protected:
  void SetUp() override {
    http::ServerOptions options;
    options.port = 0;
    options.keys = std::make_shared<http::KeyRing>(std::vector<std::string>{key});
    auto notify = [heard = heard_](const std::string& blob, const telemetry::TraceContext& trace) {
      const std::lock_guard lock(heard->mutex);
      heard->blobs.push_back(blob);
      heard->traces.push_back(trace);
    };
    auto started = http::Server::start({}, options, {webhook_endpoint({"acct", "input-data"}, notify)});
    ASSERT_TRUE(started) << started.error().detail.text;
    server_ = std::move(*started);
  }

  http::Response deliver(const std::string& body, const std::string& headers) const {
    return http::TestClient(server_->port())
        .ask("POST /events HTTP/1.1\r\nHost: a\r\nX-API-Key: " + key + "\r\n" + headers +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::vector<std::string> heard() const {
    const std::lock_guard lock(heard_->mutex);
    return heard_->blobs;
  }

  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
  std::unique_ptr<http::Server> server_;
};

const std::string grid = "Content-Type: application/json; charset=utf-8\r\naeg-event-type: ";

std::string created(const std::string& container, const std::string& blob) {
  return R"({"topic":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acct",)"
         R"("subject":"/blobServices/default/containers/)" +
         container + "/blobs/" + blob +
         R"(","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-06-26T18:41:00.9584103Z","id":"1",)"
         R"("data":{"api":"PutBlob","eTag":"0x8D4BCC2E4835CD0","contentLength":3,"blobType":"BlockBlob",)"
         R"("url":"https://acct.blob.core.windows.net/)" +
         container + "/" + blob + R"("},"dataVersion":"","metadataVersion":"1"})";
}

TEST_F(WebhookTest, TellsOfTheBlobsOfItsContainer) {
  const std::string events =
      "[" + created("input-data", "a%20b.csv") + "," + created("output-results", "a.csv.json") + "]";
  const http::Response response = deliver(events, grid + "Notification\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(heard(), ElementsAre("a b.csv"));
}

TEST_F(WebhookTest, AnEventsOwnTraceComesBeforeItsRequests) {
  const std::string header = "traceparent: 00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01\r\n";
  const std::string traced =
      R"({"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","id":"1","source":"/storageAccounts/acct",)"
      R"("traceparent":"00-cccccccccccccccccccccccccccccccc-dddddddddddddddd-01",)"
      R"("subject":"/blobServices/default/containers/input-data/blobs/b.csv","data":{"api":"PutBlob"}})";
  EXPECT_EQ(
      deliver("[" + created("input-data", "a.csv") + "," + traced + "]", grid + "Notification\r\n" + header).status,
      200);
  ASSERT_THAT(heard(), ElementsAre("a.csv", "b.csv"));
  EXPECT_EQ(heard_->traces[0].span_id.front(), 0xbb);
  EXPECT_EQ(heard_->traces[1].span_id.front(), 0xdd);
}

// Event Grid sends the key with what it delivers (a subscription's delivery property), not with CloudEvents' handshake.
TEST_F(WebhookTest, EventsWantTheKeyAndTheHandshakeNone) {
  const std::string events = "[" + created("input-data", "a.csv") + "]";
  const http::Response refused =
      http::TestClient(server_->port())
          .ask("POST /events HTTP/1.1\r\nHost: a\r\n" + grid +
               "Notification\r\nContent-Length: " + std::to_string(events.size()) + "\r\n\r\n" + events);
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(heard(), IsEmpty());
  EXPECT_EQ(http::TestClient(server_->port())
                .ask("OPTIONS /events HTTP/1.1\r\nHost: a\r\nWebHook-Request-Origin: eventgrid.azure.net\r\n\r\n")
                .status,
            200);
}

TEST_F(WebhookTest, EventGridsHandshake) {
  const http::Response response = deliver(
      R"([{"id":"2d1781af","topic":"/subscriptions/x","subject":"","data":{"validationCode":"512d38b6","validationUrl":)"
      R"("https://rp.example"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":)"
      R"("2018-01-25T22:12:19.4556811Z","metadataVersion":"1","dataVersion":"1"}])",
      grid + "SubscriptionValidation\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"validationResponse":"512d38b6"})");
  EXPECT_TRUE(response.has("Content-Type: application/json\r\n"));
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(WebhookTest, CloudEventsHandshake) {
  http::TestClient client(server_->port());
  const http::Response response = client.ask(
      "OPTIONS /events HTTP/1.1\r\nHost: a\r\nWebHook-Request-Origin: eventgrid.azure.net\r\n"
      "webhook-request-rate: 120\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("\r\nAllow: POST, OPTIONS\r\n"));
  EXPECT_TRUE(response.has("\r\nWebHook-Allowed-Origin: eventgrid.azure.net\r\n"));
  EXPECT_TRUE(response.has("\r\nWebHook-Allowed-Rate: 120\r\n"));
  EXPECT_EQ(client.ask("OPTIONS /events HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
}

TEST_F(WebhookTest, RefusesWhatIsNoEvent) {
  const http::Response response = deliver("{}", grid + "Notification\r\n");
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.has("application/problem+json"));
  EXPECT_THAT(response.body, HasSubstr(R"("success":false)"));
  EXPECT_EQ(deliver("{}", "Content-Type: text/plain\r\n").status, 415);
  EXPECT_EQ(deliver(std::string(event::max_event_bytes + 1, ' '), grid + "Notification\r\n").status, 413);
  EXPECT_EQ(
      http::TestClient(server_->port()).ask("GET /events HTTP/1.1\r\nHost: a\r\nX-API-Key: " + key + "\r\n\r\n").status,
      405);
  EXPECT_THAT(heard(), IsEmpty());
}

}  // namespace
}  // namespace dropscore::webhook
