// Clients that are slow, many, or not clients at all.
#include <random>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"

namespace dropscore::http {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;

const std::string get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string record = R"({"Age":40,"Channel":"SEO"})";

std::unique_ptr<Server> start(ServerOptions options = {}) {
  options.port = 0;
  auto started = Server::start(tiny_scorer, options);
  EXPECT_TRUE(started);
  return std::move(*started);
}

bool healthy(const Server& server) { return TestClient(server.port()).ask(get_health).status == 200; }

/// Sends one byte at a time until the server has something to say.
void drip(const TestClient& client, std::string_view bytes) {
  for (const char c : bytes) {
    if (!client.send(std::string_view(&c, 1)) || client.readable(20ms)) return;
  }
}

TEST(Slow, HeaderMustEndInTime) {
  ServerOptions options;
  options.header_timeout_ms = 1000;
  options.keep_alive_timeout_ms = 20'000;
  const auto server = start(options);
  {
    TestClient client(server->port());
    drip(client, "GET /health HTTP/1.1\r\nX: " + std::string(5000, 'x'));
    const Response response = client.read();
    EXPECT_EQ(response.status, 408);
    EXPECT_TRUE(response.has("Connection: close"));
  }
  {
    TestClient client(server->port());  // empty lines are no header either
    drip(client, std::string(5000, '\n').replace(0, 1, "\r"));
    EXPECT_THAT(client.read().status, AnyOf(400, 408));
  }
  {
    TestClient client(server->port());  // the second request has the same limit as the first
    EXPECT_EQ(client.ask(get_health).status, 200);
    drip(client, "GET /health HTTP/1.1\r\nX: " + std::string(5000, 'x'));
    EXPECT_EQ(client.read().status, 408);
  }
  TestClient silent(server->port());
  EXPECT_TRUE(silent.closed());
}

TEST(Slow, IdleConnectionsAreClosed) {
  ServerOptions options;
  options.keep_alive_timeout_ms = 200;
  const auto server = start(options);
  TestClient client(server->port());
  EXPECT_EQ(client.ask(get_health).status, 200);
  EXPECT_TRUE(client.closed());
}

TEST(Slow, BodyMustComeInTime) {
  ServerOptions options;
  options.body_timeout_ms = 300;
  const auto server = start(options);
  for (const char* type : {"application/json", "text/csv"}) {
    const std::string request = post(type, std::string(5000, 'x'));
    const std::size_t body = request.size() - 5000;
    {
      TestClient client(server->port());
      client.send(request.substr(0, body + 10));
      EXPECT_EQ(client.read().status, 408) << type;
    }
    {
      TestClient client(server->port());
      client.send(request.substr(0, body));
      drip(client, request.substr(body));  // never silent for long, and still too slow
      EXPECT_EQ(client.read().status, 408) << type;
    }
  }
}

TEST(Slow, ReaderIsCutOff) {
  ServerOptions options;
  options.write_timeout_ms = 300;
  options.max_spool_bytes = 0;
  const auto server = start(options);
  TestClient client(server->port(), 4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get_health;
  // Asks and asks, and never reads: the answers fill the socket, and the server takes no more requests.
  bool sending = true;
  for (int i = 0; i < 1000 && sending; ++i) sending = client.send(requests);
  EXPECT_FALSE(sending);
  EXPECT_TRUE(healthy(*server));
}

TEST(Many, ConnectionsAtOneTime) {
  const auto server = start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<TestClient>(server->port()));
  for (int round = 0; round < 3; ++round) {
    for (const auto& client : clients) client->send(post("application/json", record));
    for (const auto& client : clients) ASSERT_EQ(client->read().status, 200);
  }
}

TEST(Many, OverTheLimitAreToldToComeBack) {
  ServerOptions options;
  options.max_connections = 4;
  const auto server = start(options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    ASSERT_EQ(clients.back()->ask(get_health).status, 200);
  }
  for (int i = 0; i < 8; ++i) {
    TestClient client(server->port());
    const Response response = client.ask(get_health);
    EXPECT_EQ(response.status, 503);
    EXPECT_TRUE(response.has("Retry-After: 1"));
    EXPECT_TRUE(response.has("Connection: close"));
  }
  clients.clear();
  bool served = false;  // once the server has seen them go
  for (int i = 0; i < 200 && !served; ++i) {
    served = healthy(*server);
    if (!served) std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(served);
}

TEST(Many, ThreadsOfClients) {
  const auto server = start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        TestClient client(server->port());
        for (int j = 0; j < 5; ++j) {
          EXPECT_EQ(client.ask(post("application/json", record)).status, 200);
          EXPECT_EQ(client.ask(post("text/csv", "Age,Channel\n1,SEO\n")).status, 200);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Requests with bytes changed, dropped, doubled and cut: whatever comes back is HTTP or a closed connection, and the
/// server serves on.
TEST(Garbage, NeverHarms) {
  ServerOptions options;
  options.header_timeout_ms = 500;
  options.body_timeout_ms = 500;
  const auto server = start(options);
  const std::vector<std::string> seeds{
      get_health,
      post("application/json", record),
      post("text/csv", "Age,Channel\n1,SEO\n"),
      "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
      "c\r\nAge,Channel\n\r\n6;x=\"y\"\r\n1,SEO\n\r\n0\r\nT: v\r\n\r\n",
  };
  std::mt19937 random(20240501);  // NOLINT(cert-msc51-cpp): the same every time, so that a failure can be seen again
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int i = 0; i < 400; ++i) {
    std::string request = seeds[below(seeds.size())];
    for (std::size_t change = below(6); change > 0 && request.size() > 2; --change) {
      const std::size_t at = below(request.size());
      switch (below(4)) {
        case 0: request[at] = static_cast<char>(random()); break;
        case 1: request.erase(at, 1 + below(5)); break;
        case 2: request.insert(at, request.substr(below(request.size()), below(40))); break;
        default: request.resize(at); break;
      }
    }
    TestClient client(server->port());
    client.send(request);
    client.end_sending();
    for (Response response = client.read(); response.status != 0; response = client.read()) {
      EXPECT_THAT(response.status, AnyOf(testing::Eq(100), testing::AllOf(testing::Ge(200), testing::Le(503))))
          << request;
    }
  }
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (int i = 0; i < 20; ++i) {
    TestClient client(server->port());
    client.send(std::string_view(noise).substr(below(noise.size())));
    EXPECT_THAT(client.read().status, AnyOf(0, 400, 408, 431));
  }
  EXPECT_TRUE(healthy(*server));
}

TEST(Garbage, ConnectionsThatSayNothingAndLeave) {
  const auto server = start();
  for (int i = 0; i < 200; ++i) TestClient client(server->port());
  EXPECT_TRUE(healthy(*server));
}

}  // namespace
}  // namespace dropscore::http
