// More than one request at a time: pipelines, and more work than there are threads for.
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"

namespace dropscore::http {
namespace {

using namespace std::chrono_literals;

const std::string get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string record = R"({"Age":40,"Channel":"SEO"})";

std::unique_ptr<Server> start(std::function<job::Scorer()> scorer, ServerOptions options = {}) {
  options.port = 0;
  auto started = Server::start(std::move(scorer), options);
  EXPECT_TRUE(started);
  return std::move(*started);
}

/// The `index`th request of a pipeline, its id the index: of all kinds, so that quick ones and others take turns.
std::string numbered(std::size_t index) {
  const std::string id = "X-Request-Id: " + std::to_string(index) + "\r\n";
  switch (index % 5) {
    case 0: return "GET /health HTTP/1.1\r\nHost: a\r\n" + id + "\r\n";
    case 1: return post("text/csv", "Age,Channel\n1,SEO\n", id);
    case 2: return post("application/json", R"({"Age":"old","Channel":"SEO"})", id);
    case 3: return "GET /nowhere HTTP/1.1\r\nHost: a\r\n" + id + "\r\n";
    default: return post("application/json", record, id);
  }
}

constexpr std::array statuses{200, 200, 422, 404, 200};

TEST(Pipeline, IsAnsweredInOrderWhateverItsKinds) {
  const auto server = start(tiny_scorer);
  TestClient client(server->port());
  std::string all;
  for (std::size_t i = 0; i < 500; ++i) all += numbered(i);
  client.send(all);
  client.end_sending();
  for (std::size_t i = 0; i < 500; ++i) {
    const Response response = client.read();
    ASSERT_EQ(response.status, statuses.at(i % 5)) << i;
    ASSERT_TRUE(response.has("X-Request-Id: " + std::to_string(i) + "\r\n")) << i;
    ASSERT_TRUE(response.complete);
  }
  EXPECT_TRUE(client.closed());
}

TEST(Pipeline, IsAnsweredInOrderWhereverItIsCut) {
  const auto server = start(tiny_scorer);
  std::string all;
  for (std::size_t i = 0; i < 5; ++i) all += numbered(i);
  for (std::size_t cut = 1; cut < all.size(); cut += 7) {
    TestClient client(server->port());
    client.send(std::string_view(all).substr(0, cut));
    std::this_thread::sleep_for(1ms);
    client.send(std::string_view(all).substr(cut));
    for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(client.read().status, statuses.at(i)) << cut;
  }
}

TEST(Pipeline, OfAClientThatReadsLate) {
  const auto server = start(tiny_scorer);
  TestClient late(server->port(), 4096);
  constexpr std::size_t count = 50'000;  // more answers than the kernel's buffers hold
  std::thread sender([&late] {
    std::string some;
    for (std::size_t i = 0; i < 100; ++i) some += get_health;
    for (std::size_t i = 0; i < count / 100; ++i) late.send(some);
  });
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(TestClient(server->port()).ask(get_health).status, 200);  // nobody else waits for it
  std::size_t answered = 0;
  while (answered < count && late.read().status == 200) ++answered;
  EXPECT_EQ(answered, count);
  sender.join();
}

// Four large bodies have a place, two at work and two that wait: the others are told at once to come again, and may on
// the same connection.
TEST(Overload, WhatCannotBeQueuedIsRefusedAtOnce) {
  std::atomic<bool> held{true};
  std::atomic<int> at_work{0};
  ServerOptions options;
  options.threads = 1;
  options.max_waiting_work = 2;
  const auto blocked = [&] {
    ++at_work;
    held.wait(true);
    return tiny_scorer();
  };
  const auto server = start(blocked, options);
  std::string list = "[" + record;
  while (list.size() < 100'000) list += "," + record;
  const std::string request = post("application/json", list + "]");

  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    clients.back()->send(request);
  }
  while (at_work < 2) std::this_thread::sleep_for(1ms);
  int refused = 0;
  for (int i = 0; i < 2000 && refused < 4; ++i) {
    for (auto& client : clients) {
      if (!client || !client->readable(1ms)) continue;
      const Response response = client->read();
      EXPECT_EQ(response.status, 503);
      EXPECT_TRUE(response.has("Retry-After: 1\r\n"));
      EXPECT_FALSE(response.has("Connection: close"));
      EXPECT_EQ(client->ask("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
      client.reset();
      ++refused;
    }
  }
  EXPECT_GE(refused, 4);
  held = false;
  held.notify_all();
  int answered = 0;
  for (auto& client : clients) {
    if (!client) continue;
    const int status = client->read().status;
    if (status == 200) ++answered;
    if (status == 503) ++refused;  // a thread that takes up its work late leaves less room for others
  }
  EXPECT_GE(answered, 2);
  EXPECT_EQ(answered + refused, 8);
}

}  // namespace
}  // namespace dropscore::http
