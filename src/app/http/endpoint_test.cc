// Endpoints, over real sockets: bodies of every framing, answers that block, and a stop that does not wait for them.
#include "app/http/endpoint.h"

#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"
#include "base/limits.h"

namespace dropscore::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

std::string to_echo(std::string_view body, std::string_view more_headers = "") {
  std::string text = "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(more_headers);
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text + std::string(body);
}

/// Says what it was asked.
Endpoint echo(std::uint64_t max_body_bytes = limits::mib) {
  Endpoint endpoint;
  endpoint.path = "/echo";
  endpoint.allow = "POST, OPTIONS";
  endpoint.max_body_bytes = max_body_bytes;
  endpoint.answer = [](const EndpointRequest& request) {
    EndpointReply reply;
    reply.status = request.parser.head().method == "OPTIONS" ? 202 : 200;
    reply.content_type = "text/plain";
    reply.headers.push_back({"X-Asked", std::string(request.parser.field("x-ask"))});
    reply.body = request.body;
    return reply;
  };
  return endpoint;
}

/// What a blocked endpoint waits for. Opened at the latest by the test's end.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::atomic<int> inside{0};
};

Endpoint blocked(const std::shared_ptr<Gate>& gate) {
  Endpoint endpoint;
  endpoint.path = "/blocked";
  endpoint.allow = "POST";
  endpoint.max_body_bytes = 100;
  endpoint.answer = [gate](const EndpointRequest& request) {
    ++gate->inside;
    gate->opened.wait();
    EndpointReply reply;
    reply.body = std::string(request.parser.head().method) + " " + std::string(request.body);
    --gate->inside;
    return reply;
  };
  return endpoint;
}

const std::string to_blocked = "POST /blocked HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";

void wait_for(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(1ms);
}

class EndpointTest : public testing::Test {
 protected:
  void start(std::vector<Endpoint> endpoints, ServerOptions options = {}, bool predicts = true) {
    options.port = 0;
    std::function<job::Scorer()> scorer;
    if (predicts) scorer = tiny_scorer;
    auto started = Server::start(scorer, options, std::move(endpoints));
    ASSERT_TRUE(started) << started.error().detail.text;
    server_ = std::move(*started);
  }
  std::uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
};

TEST_F(EndpointTest, AnswersWithItsStatusHeadersTypeAndBody) {
  start({echo()});
  TestClient client(port());
  const Response response = client.ask(to_echo("hello", "X-Ask:  what \r\nX-Request-Id: mine\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_TRUE(response.has("\r\nContent-Type: text/plain\r\n"));
  EXPECT_TRUE(response.has("\r\nX-Asked: what\r\n"));
  EXPECT_TRUE(response.has("\r\nX-Request-Id: mine\r\n"));
  // The same connection: chunked, empty, another method.
  EXPECT_EQ(client
                .ask("POST /echo?code=secret HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
                .body,
            "abcdefg");
  EXPECT_EQ(client.ask(to_echo("")).body, "");
  EXPECT_EQ(client.ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n").status, 202);
  EXPECT_EQ(client.ask(to_echo(std::string(300'000, 'x'))).body, std::string(300'000, 'x'));
  EXPECT_EQ(client.ask(get_health).status, 200);
}

TEST_F(EndpointTest, RefusesAsTheRestOfTheServer) {
  start({echo(1000)});
  const std::vector<std::pair<std::string, int>> cases{
      {"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"POST /ech HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404},
      {"POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", 411},
      {to_echo(std::string(1001, 'x')), 413},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') +
           "\r\n0\r\n\r\n",
       413},
      {to_echo("x", "Content-Encoding: gzip\r\n"), 415},
      {to_echo("x", "Expect: miracles\r\n"), 417},
  };
  for (const auto& [request, status] : cases) {
    TestClient client(port());
    const Response response = client.ask(request);
    EXPECT_EQ(response.status, status) << request.substr(0, 60);
    EXPECT_TRUE(response.has("application/problem+json")) << request.substr(0, 60);
    EXPECT_EQ(response.has("\r\nAllow: POST, OPTIONS\r\n"), status == 405);
    if (status == 404) {
      EXPECT_THAT(response.body, HasSubstr("/health, /predict and /echo"));
    }
  }
}

TEST_F(EndpointTest, SharesTheBudgetOfMemory) {
  ServerOptions options;
  options.max_json_body_bytes = 1'000'000;
  options.max_buffered_body_bytes = 1'500'000;
  start({echo(1'000'000)}, options);
  const std::string request = to_echo(std::string(1'000'000, 'x'));
  TestClient first(port());
  TestClient second(port());
  for (TestClient* const client : {&first, &second}) client->send(request.substr(0, request.size() - 10));
  wait_for([&] { return first.readable(1ms) || second.readable(1ms); });
  const Response refused = first.readable(0ms) ? first.read() : second.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 1"));
}

TEST_F(EndpointTest, BlockedOnesHoldUpNobodyElse) {
  const auto gate = std::make_shared<Gate>();
  Endpoint ping = echo();
  ping.path = "/";
  ping.allow = "GET, HEAD";
  ping.immediate = true;
  ServerOptions options;
  options.threads = 1;
  options.endpoint_threads = 2;
  start({blocked(gate), ping}, options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<TestClient>(port()));
    clients.back()->send(to_blocked);
  }
  wait_for([&] { return gate->inside == 2; });
  TestClient other(port());
  std::string list = R"([{"Age":40,"Channel":"SEO"})";
  while (list.size() < 200'000) list += R"(,{"Age":40,"Channel":"SEO"})";
  EXPECT_EQ(other.ask(post("application/json", list + "]")).status, 200);  // on a worker of the reactor
  EXPECT_EQ(other.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  other.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.read(true).status, 200);
  EXPECT_EQ(gate->inside, 2);  // two at a time, as asked
  gate->open.set_value();
  for (const auto& client : clients) {
    EXPECT_EQ(client->read().body, "POST {}");
    EXPECT_EQ(client->ask(to_blocked).status, 200);
  }
}

TEST_F(EndpointTest, StopWaitsForAnAnswerInTime) {
  const auto gate = std::make_shared<Gate>();
  start({blocked(gate)});
  TestClient client(port());
  client.send(to_blocked);
  wait_for([&] { return gate->inside == 1; });
  auto stopped = std::async(std::launch::async, [this] { return server_->stop(); });
  wait_for([this] { return !TestClient(port()).connected(); });
  EXPECT_EQ(stopped.wait_for(100ms), std::future_status::timeout);
  gate->open.set_value();
  const Response response = client.read();
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("Connection: close"));
  stopped.wait();
}

TEST_F(EndpointTest, StopLeavesAStalledCallToItself) {
  const auto gate = std::make_shared<Gate>();
  ServerOptions options;
  options.drain_timeout_ms = 100;
  options.endpoint_threads = 1;
  start({blocked(gate)}, options);
  TestClient stalled(port());
  TestClient waiting(port());
  stalled.send(to_blocked);
  wait_for([&] { return gate->inside == 1; });
  waiting.send(to_blocked);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(server_->stop());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_EQ(stalled.read().status, 0);
  EXPECT_EQ(waiting.read().status, 0);
  server_.reset();  // and what the call uses is its own
  gate->open.set_value();
  wait_for([&] { return gate->inside == 0 && gate.use_count() == 1; });
}

/// Keeps the first byte of every ten.
class Tenth final : public BodyFilter {
 public:
  void take(std::string_view bytes, std::string& kept) override {
    for (const char c : bytes) {
      if (at_++ % 10 == 0) kept.push_back(c);
    }
  }

 private:
  std::uint64_t at_ = 0;
};

TEST_F(EndpointTest, AFilterKeepsWhatIsWanted) {
  ServerOptions options;
  options.max_json_body_bytes = 200'000;
  options.max_buffered_body_bytes = 300'000;
  Endpoint endpoint = echo(1'000'000);  // more than may be in memory
  endpoint.filter = [] { return std::make_unique<Tenth>(); };
  start({endpoint}, options);
  TestClient client(port());
  EXPECT_EQ(client.ask(to_echo(std::string(900'000, 'y'))).body, std::string(90'000, 'y'));
  EXPECT_EQ(client.ask(to_echo(std::string(1'000'001, 'y'))).status, 413);
  // What a filter keeps counts.
  endpoint.filter = [] {
    class All final : public BodyFilter {
      void take(std::string_view bytes, std::string& kept) override { kept += bytes; }
    };
    return std::make_unique<All>();
  };
  start({endpoint}, options);
  EXPECT_EQ(TestClient(port()).ask(to_echo(std::string(900'000, 'y'))).status, 503);
}

TEST_F(EndpointTest, AServerOfEndpointsAlone) {
  start({echo()}, {}, false);
  TestClient client(port());
  EXPECT_EQ(client.ask(get_health).body, R"({"status":"healthy"})");
  EXPECT_EQ(client.ask(post("application/json", "{}")).status, 404);
  EXPECT_EQ(client.ask(to_echo("x")).body, "x");
}

TEST_F(EndpointTest, WhatThrowsIsOneRequestsEnd) {
  Endpoint endpoint = echo();
  endpoint.answer = [](const EndpointRequest&) -> EndpointReply { throw std::bad_alloc(); };
  start({endpoint});
  TestClient client(port());
  EXPECT_EQ(client.ask(to_echo("x")).status, 500);
  EXPECT_EQ(client.ask(get_health).status, 200);
}

TEST_F(EndpointTest, StartRefusesWhatCannotBe) {
  const auto refused = [](const std::function<void(Endpoint&)>& spoil) {
    Endpoint endpoint = echo();
    spoil(endpoint);
    ServerOptions options;
    options.port = 0;
    const auto started = Server::start(tiny_scorer, options, {std::move(endpoint)});
    return !started && started.error().kind == ErrorKind::misuse;
  };
  EXPECT_TRUE(refused([](Endpoint& e) { e.path = "echo"; }));
  EXPECT_TRUE(refused([](Endpoint& e) { e.path = "/echo/"; }));
  EXPECT_TRUE(refused([](Endpoint& e) { e.path = "/predict"; }));
  EXPECT_TRUE(refused([](Endpoint& e) { e.allow = ""; }));
  EXPECT_TRUE(refused([](Endpoint& e) { e.answer = nullptr; }));
  EXPECT_TRUE(refused([](Endpoint& e) { e.max_body_bytes = limits::max_json_body_bytes + 1; }));
}

}  // namespace
}  // namespace dropscore::http
