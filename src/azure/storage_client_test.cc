// What a storage client sends, when it tries again, and what it makes of an answer.
#include "azure/storage_client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/account.h"
#include "base/log.h"
#include "net/test_server.h"
#include "tests/support/shown_metric.h"

namespace dropscore::azure {
namespace {

using net::test_answer;
using net::TestRequest;
using net::TestServer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* key = "c2VjcmV0LWtleQ==";
const net::RetryPolicy fast{4, milliseconds(1), milliseconds(50), milliseconds(5'000)};

StorageRequest get(std::string path, Query query = {}) {
  StorageRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.query = std::move(query);
  return request;
}

/// A server that gives `answers` one after the other, and then the last one again; and a client of it.
class StorageClientTest : public ::testing::Test {
 protected:
  StorageClient client_for(std::vector<std::string> answers, std::shared_ptr<Credential> credential = {}) {
    server_.reset();
    answers_ = std::move(answers);
    server_.emplace(net::answering([this](const TestRequest& request) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      return answers_[std::min(requests_.size(), answers_.size()) - 1];
    }));
    if (!credential) credential = shared_key("acct", key).value();
    return {server_->url("/acct"), std::move(credential), std::make_shared<net::HttpClient>(), fast};
  }
  const std::vector<TestRequest>& requests() const { return requests_; }
  std::set<std::string> all(const char* header) const {
    std::set<std::string> values;
    for (const TestRequest& request : requests_) values.insert(request.header(header).value_or("none"));
    return values;
  }

 private:
  std::vector<std::string> answers_;
  std::mutex mutex_;
  std::vector<TestRequest> requests_;
  std::optional<TestServer> server_;  // ends before what its threads use
};

TEST_F(StorageClientTest, SendsASignedRequest) {
  StorageClient client = client_for({test_answer(200, "fine", {{"x-ms-request-id", "a1"}, {"ETag", "\"0x1\""}})});
  StorageRequest request = get(blob_path("in1", "dir/a b&.csv"), {{"comp", "list"}, {"prefix", "a/b +\xC3\xAD"}});
  request.headers = {{"x-ms-meta-a_b", "1"}, {"x-ms-meta-a1", "2"}};
  const auto reply = client.call(request);
  ASSERT_TRUE(reply) << reply.error().detail.text;
  EXPECT_EQ(reply->status, 200);
  EXPECT_TRUE(reply->ok());
  EXPECT_EQ(reply->body, "fine");
  EXPECT_EQ(reply->header("etag"), "\"0x1\"");
  EXPECT_EQ(reply->request_id, "a1");
  EXPECT_EQ(reply->error_code, "");
  EXPECT_EQ(reply->tries, 1);
  const TestRequest& seen = requests().at(0);
  EXPECT_EQ(seen.target, "/acct/in1/dir/a%20b%26.csv?comp=list&prefix=a%2Fb%20%2B%C3%AD");
  EXPECT_EQ(seen.header("x-ms-version"), "2021-12-02");
  EXPECT_THAT(*seen.header("x-ms-date"), MatchesRegex("..., .. ... .... ..:..:.. GMT"));
  EXPECT_THAT(*seen.header("x-ms-client-request-id"),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));

  // The signature is over what was sent.
  Draft draft{"GET", "/acct/in1/dir/a%20b%26.csv", request.query, seen.headers, 0};
  EXPECT_EQ(seen.header("Authorization"), "SharedKey acct:" + sign(key, string_to_sign("acct", draft)).value());
}

TEST_F(StorageClientTest, ASignatureInTheQuery) {
  StorageClient client = client_for({test_answer(201)}, shared_access_signature("sv=1&sig=a%2Bb%3D"));
  StorageRequest request = get("/in1", {{"restype", "container"}});
  request.method = "PUT";
  EXPECT_EQ(client.call(request).value().status, 201);
  EXPECT_EQ(requests().at(0).target, "/acct/in1?restype=container&sv=1&sig=a%2Bb%3D");
  EXPECT_EQ(requests().at(0).header("Authorization"), std::nullopt);
  EXPECT_EQ(requests().at(0).header("Content-Length"), "0");
}

TEST_F(StorageClientTest, EveryTryIsSignedAnewUnderOneId) {
  StorageClient client = client_for(
      {test_answer(503), test_answer(429, "", {{"Retry-After", "30"}}), test_answer(500), test_answer(200, "fine")});
  StorageRequest request = get("/in1/blob");
  request.method = "PUT";
  const std::string body(100'000, 'x');
  request.body = body;
  const auto start = std::chrono::steady_clock::now();
  const auto reply = client.call(request);
  ASSERT_TRUE(reply) << reply.error().detail.text;
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(20'000)) << "the longest delay is the policy's";
  EXPECT_EQ(reply->tries, 4);
  ASSERT_EQ(requests().size(), 4U);
  EXPECT_EQ(all("x-ms-client-request-id").size(), 1U);
  for (const TestRequest& seen : requests()) {
    EXPECT_EQ(seen.body, body);
    Draft draft{"PUT", "/acct/in1/blob", {}, seen.headers, seen.body.size()};
    EXPECT_EQ(seen.header("Authorization"), "SharedKey acct:" + sign(key, string_to_sign("acct", draft)).value());
  }
}

TEST_F(StorageClientTest, TriesRunOut) {
  StorageClient client = client_for(
      {test_answer(503, "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ServerBusy</Code></Error>",
                   {{"x-ms-request-id", "feed-f00d"}})});
  const auto reply = client.call(get("/in1/blob", {{"comp", "list"}, {"sig", "topsecret"}}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(requests().size(), 4U);
  EXPECT_EQ(reply.error().kind, ErrorKind::try_later);
  const std::string& text = reply.error().detail.text;
  EXPECT_THAT(text, HasSubstr("GET list /acct/in1/blob: 503 ServerBusy"));
  EXPECT_THAT(text, HasSubstr("4 tries"));
  EXPECT_THAT(text, HasSubstr("feed-f00d"));
  EXPECT_THAT(text, HasSubstr(*all("x-ms-client-request-id").begin()));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(reply.error().customer.text, Not(HasSubstr("/in1")));
}

TEST_F(StorageClientTest, TriesAreCounted) {
  using dropscore::testing::MetricGrowth;
  const MetricGrowth again(R"(dropscore_retries_total{operation="GET list",service="blob"})");
  const MetricGrowth used_up(R"(dropscore_retries_exhausted_total{operation="GET list",service="blob"})");
  StorageClient client = client_for({test_answer(503), test_answer(503), test_answer(200)});
  ASSERT_TRUE(client.call(get("/c", {{"comp", "list"}})));
  EXPECT_EQ(again(), 2);
  EXPECT_EQ(used_up(), 0);
  StorageClient broken = client_for({test_answer(503)});
  ASSERT_FALSE(broken.call(get("/c", {{"comp", "list"}})));
  EXPECT_EQ(again(), 5);
  EXPECT_EQ(used_up(), 1);
}

TEST_F(StorageClientTest, OtherStatusesAreFinal) {
  for (const int status : {304, 400, 403, 404, 409, 412, 413, 416, 501}) {
    StorageClient client = client_for({test_answer(status, "<Error><Code>SomeCode</Code></Error>")});
    const std::size_t before = requests().size();
    const auto reply = client.call(get("/in1"));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, status);
    EXPECT_FALSE(reply->ok());
    EXPECT_EQ(requests().size(), before + 1);
  }
}

TEST_F(StorageClientTest, ErrorCodes) {
  const auto code_of = [this](const std::string& answer) {
    return client_for({answer}).call(get("/x")).value().error_code;
  };
  EXPECT_EQ(code_of(test_answer(404, "<Error><Code>Other</Code></Error>", {{"X-Ms-Error-Code", "BlobNotFound"}})),
            "BlobNotFound");
  EXPECT_EQ(code_of(test_answer(404, "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<Error><Code>QueueNotFound</Code></Error>")),
            "QueueNotFound");
  for (const char* body : {"", "not xml", "<Error/>", "<Error><Code>sig=topsecret</Code></Error>", "<a><b></a>"}) {
    EXPECT_EQ(code_of(test_answer(404, body)), "") << body;
  }
  EXPECT_EQ(code_of(test_answer(404, std::string(1U << 20U, 'x'))), "") << "too long to be read";
}

TEST_F(StorageClientTest, ADeadlineEndsTheTries) {
  StorageClient client = client_for({test_answer(503, "", {{"Retry-After", "1"}})});
  StorageRequest request = get("/in1");
  request.deadline = Deadline::in(milliseconds(30));
  EXPECT_EQ(client.call(request).error().kind, ErrorKind::try_later);
  EXPECT_LE(requests().size(), 1U) << "the next try would have been after 50 ms";
}

TEST_F(StorageClientTest, OpensABody) {
  const std::string large(3U << 20U, 'x');
  StorageClient client = client_for(
      {test_answer(503), test_answer(206, large), test_answer(404, "<Error><Code>BlobNotFound</Code></Error>")});
  StorageReply refusal;
  const auto exchange = client.open(get("/in1/blob"), refusal);
  ASSERT_TRUE(exchange) << exchange.error().detail.text;
  ASSERT_NE(*exchange, nullptr);
  EXPECT_EQ((*exchange)->status(), 206);
  EXPECT_EQ(net::read_body(**exchange, large.size()).value(), large);
  const auto missing = client.open(get("/in1/blob"), refusal);
  ASSERT_TRUE(missing);
  EXPECT_EQ(*missing, nullptr);
  EXPECT_EQ(refusal.status, 404);
  EXPECT_EQ(refusal.error_code, "BlobNotFound");
}

/// Says what happened to it.
class CountingCredential : public Credential {
 public:
  explicit CountingCredential(bool renewable) : renewable_(renewable) {}
  Status authorize(Draft& draft, const Deadline&) override {
    draft.headers.push_back({"Authorization", "Bearer token-" + std::to_string(refusals)});
    return {};
  }
  bool refused() override {
    ++refusals;
    return renewable_;
  }
  std::string_view kind() const override { return "for a test"; }
  std::atomic<int> refusals{0};

 private:
  bool renewable_;
};

TEST_F(StorageClientTest, A401IsTriedOnceMore) {
  auto credential = std::make_shared<CountingCredential>(true);
  StorageClient client = client_for({test_answer(401), test_answer(200)}, credential);
  const auto reply = client.call(get("/in1"));
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->tries, 1) << "what was refused had no effect";
  EXPECT_EQ(all("Authorization"), (std::set<std::string>{"Bearer token-0", "Bearer token-1"}));

  StorageClient hopeless = client_for({test_answer(401)}, credential);
  EXPECT_EQ(hopeless.call(get("/in1"))->status, 401);
  EXPECT_EQ(requests().size(), 4U);
  auto fixed = std::make_shared<CountingCredential>(false);
  StorageClient other = client_for({test_answer(401)}, fixed);
  EXPECT_EQ(other.call(get("/in1"))->status, 401);
  EXPECT_EQ(requests().size(), 5U);
}

TEST(StorageClientFault, LostAnswersAreTriedAgain) {
  std::atomic<int> seen{0};
  TestServer server([&](net::TestConnection& connection) {
    while (connection.read_request()) {
      switch (++seen) {
        case 1: return connection.reset();
        case 2: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"); return;
        default: connection.write(test_answer(201, "fine"));
      }
    }
  });
  StorageClient client(server.origin(), shared_key("acct", key).value(), std::make_shared<net::HttpClient>(), fast);
  StorageRequest request = get("/in1/blob");
  request.method = "PUT";
  request.body = "text";
  const auto reply = client.call(request);
  ASSERT_TRUE(reply) << reply.error().detail.text;
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "fine");
  EXPECT_EQ(reply->tries, 3);
}

TEST(StorageClientFault, NobodyThere) {
  std::string origin;
  {
    origin = TestServer([](net::TestConnection&) {}).origin();
  }
  StorageClient client(origin, shared_access_signature("sig=topsecret"), std::make_shared<net::HttpClient>(), fast);
  const auto reply = client.call(get("/in1/blob"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::try_later);
  EXPECT_THAT(reply.error().detail.text, HasSubstr("after 4 tries"));
  EXPECT_THAT(reply.error().detail.text, Not(HasSubstr("secret")));
}

TEST(UnexpectedReply, SaysWhatToDo) {
  const auto kind_of = [](int status) { return unexpected_reply("PUT", "/c/b", {status, {}, {}, {}, 1, "r"}).kind; };
  EXPECT_EQ(kind_of(401), ErrorKind::try_later);
  EXPECT_EQ(kind_of(403), ErrorKind::try_later);
  EXPECT_EQ(kind_of(404), ErrorKind::not_found);
  EXPECT_EQ(kind_of(409), ErrorKind::changed);
  EXPECT_EQ(kind_of(412), ErrorKind::changed);
  EXPECT_EQ(kind_of(400), ErrorKind::give_up);
  StorageReply reply{403, {}, "<Error>secret</Error>", "AuthorizationPermissionMismatch", 1, "their-id"};
  const Error error = unexpected_reply("PUT block", "/c/b", reply);
  EXPECT_THAT(error.detail.text, HasSubstr("PUT block /c/b: 403 AuthorizationPermissionMismatch"));
  EXPECT_THAT(error.detail.text, HasSubstr("Storage Blob Data Contributor"));
  EXPECT_THAT(error.detail.text, HasSubstr("their-id"));
  EXPECT_THAT(error.detail.text, Not(HasSubstr("secret")));
  EXPECT_THAT(error.customer.text, Not(HasSubstr("/c/b")));
}

TEST(Etags, QuotesComeAndGo) {
  EXPECT_EQ(unquoted_etag("\"0x8D\""), "0x8D");
  EXPECT_EQ(unquoted_etag("0x8D"), "0x8D");
  EXPECT_EQ(unquoted_etag("\""), "\"");
  EXPECT_EQ(unquoted_etag(""), "");
  EXPECT_EQ(quoted_etag("0x8D"), "\"0x8D\"");
  EXPECT_EQ(quoted_etag("\"0x8D\""), "\"0x8D\"");
  EXPECT_EQ(blob_path("$web", "d\xC3\xADr a/x+y &#.csv"), "/$web/d%C3%ADr%20a/x%2By%20%26%23.csv");
}

TEST(StorageClientInAHurry, DoesNotWaitForWhatTheServiceAsks) {
  std::atomic<int> asked = 0;
  TestServer server(net::answering([&asked](const TestRequest&) {
    ++asked;
    return test_answer(503, "", {{"Retry-After", "50"}});
  }));
  const auto http = std::make_shared<net::HttpClient>();
  StorageClient client(server.url("/acct"), shared_key("acct", key).value(), http);
  const auto start = std::chrono::steady_clock::now();
  std::jthread hurrying([&] {
    while (asked == 0) std::this_thread::sleep_for(milliseconds(1));
    http->hurry();
  });
  const auto reply = client.call(get("/input-data/a.csv"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::try_later);
  EXPECT_EQ(asked, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

}  // namespace
}  // namespace dropscore::azure
