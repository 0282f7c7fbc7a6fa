// The protocol, over real sockets.
#include "app/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/test_client.h"

namespace dropscore::http {
namespace {

using testing::HasSubstr;

class ServerTest : public testing::Test {
 protected:
  void start(const ServerOptions& wanted = {}) {
    ServerOptions options = wanted;
    options.port = 0;
    auto started = Server::start(tiny_scorer, options);
    ASSERT_TRUE(started) << started.error().detail.text;
    server_ = std::move(*started);
  }
  std::uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
};

const std::string record = R"({"Age":40,"Channel":"SEO"})";
const std::string get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ServerTest, Health) {
  start();
  TestClient client(port());
  const Response response = client.ask(get_health);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("status":"healthy")"));
  EXPECT_TRUE(response.has("\r\nContent-Type: application/json\r\n"));
  EXPECT_TRUE(response.has("\r\nDate: "));
  EXPECT_TRUE(response.has("\r\nServer: dropscore/"));
  // The same connection, in the other ways to ask.
  for (const char* target : {"/health/", "/health?verbose=1", "http://example.com/health"}) {
    EXPECT_EQ(client.ask(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n").body, response.body) << target;
  }
  client.send("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
  const Response head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has("Content-Length: " + std::to_string(response.body.size())));
  EXPECT_EQ(client.ask(get_health).body, response.body);
}

TEST_F(ServerTest, PredictsJson) {
  start();
  TestClient client(port());
  const Response response = client.ask(post("application/json", record));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("success":true)"));
  EXPECT_EQ(client.ask(post("application/json; charset=utf-8", "[" + record + "]")).status, 200);
  EXPECT_EQ(client.ask(post("application/vnd.crm+json", record, "Accept: text/html, */*;q=0.1\r\n")).status, 200);
}

TEST_F(ServerTest, PredictsChunkedJson) {
  start();
  TestClient client(port());
  const std::string head =
      "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(head);
  client.send("1\r\n{\r\n");
  client.send("19\r\n" + record.substr(1) + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
}

struct RefusalCase {
  std::string request;
  int status;
  std::string head_has;
};

TEST_F(ServerTest, EveryRefusalIsAProblemDocument) {
  ServerOptions options;
  options.max_json_body_bytes = 100'000;
  options.max_csv_body_bytes = 200'000;
  start(options);
  const std::string json_head = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  const std::vector<RefusalCase> cases{
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404, ""},
      {"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, "Allow: GET, HEAD\r\n"},
      {"GET /predict HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Allow: POST\r\n"},
      {"BREW /predict HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Allow: POST\r\n"},
      {post("application/json", record, "Accept: text/csv\r\n"), 406, ""},
      {post("text/csv", "Age,Channel\n1,SEO\n", "Accept: image/png\r\n"), 406, ""},
      {json_head + "\r\n", 411, ""},
      {json_head + "Content-Length: 100001\r\n\r\n", 413, "Connection: close\r\n"},
      {json_head + "Content-Length: 18446744073709551615\r\n\r\n", 413, "Connection: close\r\n"},
      {"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 200001\r\n\r\n", 413, ""},
      {"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 415,
       "Accept-Post: application/json, text/csv\r\n"},
      {post("application/x-www-form-urlencoded", "a=b"), 415, "Accept-Post: "},
      {post("application/json", record, "Content-Encoding: gzip\r\n"), 415, ""},
      {post("application/json", record, "Expect: miracles\r\n"), 417, ""},
      {post("application/json", "{nope"), 400, ""},
      {post("application/json", ""), 400, ""},
      {post("text/csv", "Name\nx\n"), 422, ""},
      {post("text/csv", "Age,Channel\nbad,SEO\n"), 422, ""},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431, "Connection: close\r\n"},
      {"GARBAGE\r\n\r\n", 400, "Connection: close\r\n"},
      {json_head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Connection: close\r\n"},
      {json_head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "Connection: close\r\n"},
  };
  for (const RefusalCase& one : cases) {
    const std::string name = one.request.substr(0, 120);
    TestClient client(port());
    const Response response = client.ask(one.request);
    EXPECT_EQ(response.status, one.status) << name;
    EXPECT_TRUE(response.complete) << name;
    EXPECT_TRUE(response.has("\r\nContent-Type: application/problem+json\r\n")) << name;
    EXPECT_TRUE(response.has("\r\nX-Request-Id: ")) << name;
    EXPECT_TRUE(response.has(one.head_has)) << response.head;
    EXPECT_THAT(response.body, HasSubstr(R"("success":false,"error":")")) << name;
    EXPECT_THAT(response.body, HasSubstr("\"status\":" + std::to_string(one.status))) << name;
    if (response.has("Connection: close")) {
      client.end_sending();
      EXPECT_TRUE(client.closed()) << name;
    } else {
      EXPECT_EQ(client.ask(get_health).status, 200) << name;
    }
  }
}

TEST_F(ServerTest, BlamesRows) {
  start();
  const Response response = TestClient(port()).ask(post("text/csv", "Age,Channel\nbad,SEO\n"));
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr(R"("errors":[{"row":2)"));
}

TEST_F(ServerTest, NamesTheModelThatWasAskedWhateverItSaid) {
  start();
  TestClient client(port());
  const std::string named = "\r\nX-Model-Version: " + tiny_scorer().model_version() + "\r\n";
  const std::string rows = "Age,Channel\n30,SEO\n";
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "30,SEO\n";
  for (const std::string& asked :
       {post("application/json", record), post("application/json", "[]"), post("application/json", "{"),
        post("application/json", "[" + std::string(70'000, ' ') + record + "]"), post("text/csv", rows),
        post("text/csv", rows, "Accept: text/csv\r\n"), post("text/csv", rows + many), post("text/csv", "Age\n1\n")}) {
    const Response response = client.ask(asked);
    EXPECT_TRUE(response.has(named)) << response.head;
  }
  for (const std::string& asked : {get_health, post("text/html", record)}) {
    EXPECT_FALSE(client.ask(asked).has("X-Model-Version")) << "no model was asked";
  }
}

TEST_F(ServerTest, BodyOverItsLimitWithoutALength) {
  ServerOptions options;
  options.max_json_body_bytes = 100'000;
  options.max_csv_body_bytes = 100'000;
  start(options);
  for (const char* type : {"application/json", "text/csv"}) {
    TestClient client(port());
    client.send(std::string("POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: ") +
                type + "\r\n\r\n");
    client.send("186a1\r\n" + std::string(100'001, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(client.read().status, 413) << type;
  }
}

TEST_F(ServerTest, ContinueIsSaidOnlyIfTheBodyIsWanted) {
  start();
  const std::string head = "POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
  {
    TestClient client(port());
    EXPECT_EQ(client.ask(head + "Content-Type: application/json\r\nContent-Length: 26\r\n\r\n").status, 100);
    EXPECT_EQ(client.ask(record).status, 200);
  }
  {
    TestClient client(port());
    const Response refused = client.ask(head + "Content-Type: text/plain\r\nContent-Length: 21\r\n\r\n");
    EXPECT_EQ(refused.status, 415);
    EXPECT_TRUE(refused.has("Connection: close"));
    client.end_sending();
    EXPECT_TRUE(client.closed());
  }
  {
    TestClient client(port());
    EXPECT_EQ(client.ask(head + "Content-Type: text/csv\r\nContent-Length: 18\r\n\r\n").status, 100);
    EXPECT_EQ(client.ask("Age,Channel\n1,SEO\n").status, 200);
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  TestClient client(port());
  const std::string three = "\r\n" + get_health + post("application/json", record, "X-Request-Id: second\r\n") +
                            post("text/plain", "not wanted") + post("text/csv", "Age,Channel\n1,SEO\n") +
                            "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get_health;
  client.send(three);
  EXPECT_THAT(client.read().body, HasSubstr("healthy"));
  EXPECT_TRUE(client.read().has("X-Request-Id: second\r\n"));
  EXPECT_EQ(client.read().status, 415);
  EXPECT_EQ(client.read().status, 200);
  const Response last = client.read();
  EXPECT_EQ(last.status, 404);
  EXPECT_TRUE(last.has("Connection: close"));
  client.end_sending();
  EXPECT_TRUE(client.closed());  // the request after "close" gets no answer
}

TEST_F(ServerTest, KeepsOrClosesAsAsked) {
  start();
  {
    TestClient client(port());
    const Response response = client.ask("GET /health HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(response.has("Connection: close"));
    EXPECT_TRUE(client.closed());
  }
  {
    TestClient client(port());
    EXPECT_TRUE(client.ask("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").has("Connection: keep-alive"));
    EXPECT_EQ(client.ask(get_health).status, 200);
    EXPECT_TRUE(client.ask("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").has("Connection: close"));
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ServerTest, RequestIdsAreEchoedOrMade) {
  start();
  TestClient client(port());
  EXPECT_TRUE(client.ask("GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: order-66\r\n\r\n")
                  .has("X-Request-Id: order-66\r\n"));
  EXPECT_FALSE(client.ask("GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: a b\r\n\r\n").has("X-Request-Id: a b"));
}

TEST_F(ServerTest, LargeJsonIsScoredBesideTheReactor) {
  start();
  std::string list = "[" + record;
  while (list.size() < 300'000) list += "," + record;
  list += "]";
  TestClient client(port());
  const Response response = client.ask(post("application/json", list));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(client.ask(post("application/json", "{" + list)).status, 400);
  EXPECT_EQ(client.ask(get_health).status, 200);
}

TEST_F(ServerTest, JsonBodiesShareABudgetOfMemory) {
  ServerOptions options;
  options.max_json_body_bytes = 1'000'000;
  options.max_buffered_body_bytes = 1'500'000;
  start(options);
  // Two that do not fit side by side, and never end: one of them, or each by the other's fault, is refused.
  const std::string request = post("application/json", "[" + std::string(999'998, ' ') + "]");
  TestClient first(port());
  TestClient second(port());
  const std::string_view unfinished = std::string_view(request).substr(0, request.size() - 10);
  for (TestClient* const client : {&first, &second}) client->send(unfinished);
  while (!first.readable(std::chrono::milliseconds(10)) && !second.readable(std::chrono::milliseconds(10))) {
  }
  const Response refused = first.readable(std::chrono::milliseconds(0)) ? first.read() : second.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 1"));
  // What the refused one held is given back, soon after its answer was sent.
  const std::string small = post("application/json", std::string(300'000, 'x'));
  bool answered = false;
  for (int i = 0; i < 200 && !answered; ++i) answered = TestClient(port()).ask(small).status != 503;
  EXPECT_TRUE(answered);
}

TEST_F(ServerTest, StartRefusesWhatCannotBe) {
  start();
  ServerOptions taken;
  taken.port = port();
  const auto second = Server::start(tiny_scorer, taken);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::try_later);
  ServerOptions elsewhere;
  elsewhere.host = "203.0.113.1";
  elsewhere.port = 0;
  elsewhere.insecure_open = true;
  const auto not_here = Server::start(tiny_scorer, elsewhere);
  ASSERT_FALSE(not_here);
  EXPECT_EQ(not_here.error().kind, ErrorKind::give_up);
  ServerOptions nowhere;
  nowhere.host = "no such host";
  nowhere.port = 0;
  const auto unknown = Server::start(tiny_scorer, nowhere);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::misuse);
  ServerOptions nonsense;
  nonsense.threads = 0;
  EXPECT_FALSE(Server::start(tiny_scorer, nonsense));
}

TEST_F(ServerTest, StopsTwice) {
  start();
  const std::uint16_t was = port();
  EXPECT_EQ(TestClient(was).ask(get_health).status, 200);
  server_->stop();
  server_->stop();
  EXPECT_FALSE(TestClient(was).connected());
}

}  // namespace
}  // namespace dropscore::http
