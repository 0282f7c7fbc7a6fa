// Servers that go away, stop half-way, drip or say nothing: the client notices, in time, and tells no secret.
#include <array>
#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/test_server.h"

namespace dropscore::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

Request get(std::string url) {
  Request request;
  request.method = "GET";
  request.url = std::move(url);
  return request;
}

Error error_of(Result<std::unique_ptr<Exchange>> exchange) {
  EXPECT_FALSE(exchange) << "answered";
  return exchange ? Error{} : exchange.error();
}

/// What reading `exchange` to its end gives.
Error read_error(Result<std::unique_ptr<Exchange>> exchange, std::string& before) {
  EXPECT_TRUE(exchange) << exchange.error().detail.text;
  if (!exchange) return {};
  std::array<char, 1000> out{};
  for (;;) {
    const Result<std::size_t> got = (*exchange)->read(out);
    if (!got) return got.error();
    EXPECT_GT(*got, 0U) << "the end came without an error";
    if (*got == 0) return {};
    before.append(out.data(), *got);
  }
}

TEST(HttpClientFault, NobodyListens) {
  std::string url;
  {
    TestServer server([](TestConnection&) {});
    url = server.url("/container/blob?sig=topsecret");
  }
  HttpClient client;
  Request request = get(url);
  request.headers = {{"Authorization", "Bearer topsecret"}};
  const Error error = error_of(client.send(request));
  EXPECT_EQ(error.kind, ErrorKind::try_later);
  EXPECT_THAT(error.detail.text, HasSubstr("GET 127.0.0.1:"));
  EXPECT_THAT(error.detail.text, HasSubstr("/container/blob: "));
  EXPECT_THAT(error.detail.text, Not(HasSubstr("secret")));
  EXPECT_THAT(error.customer.text, Not(HasSubstr("/")));
}

TEST(HttpClientFault, NoSuchHost) {
  HttpClient client;
  Request request = get("http://no-such-host.invalid/x?sig=topsecret");
  request.deadline = Deadline::in(milliseconds(5000));
  const Error error = error_of(client.send(request));
  EXPECT_EQ(error.kind, ErrorKind::try_later);
  EXPECT_THAT(error.detail.text, Not(HasSubstr("secret")));
}

TEST(HttpClientFault, BodiesThatEndTooSoon) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"}) {
    TestServer server([&](TestConnection& connection) {
      connection.read_request();
      connection.write(answer);
    });
    HttpClient client;
    std::string before;
    const Error error = read_error(client.send(get(server.url("/x?sig=topsecret"))), before);
    EXPECT_EQ(error.kind, ErrorKind::try_later);
    EXPECT_EQ(before, "abc") << "what came is given before the error";
    EXPECT_THAT(error.detail.text, Not(HasSubstr("secret")));
  }
}

TEST(HttpClientFault, BrokenAnswers) {
  for (const std::string& answer :
       {std::string("220 mail.example ESMTP\r\n"), std::string("HTTP/1.1 200 OK\r\nContent-Le"), std::string(),
        "HTTP/1.1 200 OK\r\nX: " + std::string(50'000, 'x') + "\r\nY: " + std::string(50'000, 'x') + "\r\n\r\n"}) {
    TestServer server([&](TestConnection& connection) {
      connection.read_request();
      connection.write(answer);
    });
    HttpClient client;
    EXPECT_EQ(error_of(client.send(get(server.url("/")))).kind, ErrorKind::try_later) << answer.substr(0, 20);
  }
}

TEST(HttpClientFault, AResetInTheMiddle) {
  TestServer server([](TestConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'x'));
    std::this_thread::sleep_for(milliseconds(20));
    connection.reset();
  });
  HttpClient client;
  std::string before;
  EXPECT_EQ(read_error(client.send(get(server.url("/"))), before).kind, ErrorKind::try_later);
}

TEST(HttpClientFault, SilenceIsAStall) {
  TestServer server([](TestConnection& connection) {
    connection.read_request();
    if (connection.number() == 2) connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    connection.read_request();  // until the client goes
  });
  HttpClient client;
  Request request = get(server.url("/"));
  request.stall_timeout = milliseconds(150);
  const auto start = Clock::now();
  const Error before_the_answer = error_of(client.send(request));
  EXPECT_THAT(before_the_answer.detail.text, HasSubstr("no byte came or went for 150 ms"));
  EXPECT_GE(Clock::now() - start, milliseconds(150));
  request.stall_timeout = milliseconds(2000);  // in which an answer begins, on a machine that is busy too
  std::string got;
  const Error within_the_body = read_error(client.send(request), got);
  EXPECT_EQ(within_the_body.kind, ErrorKind::try_later);
  EXPECT_EQ(got, "abc");
  EXPECT_GE(Clock::now() - start, milliseconds(2150));
}

TEST(HttpClientFault, AnUploadThatNobodyReadsIsAStall) {
  std::promise<void> noticed;
  TestServer server([&](TestConnection& connection) {
    connection.read_head();
    noticed.get_future().wait();
  });
  const std::string large(32U << 20U, 'x');
  HttpClient client;
  Request request = get(server.url("/"));
  request.method = "PUT";
  request.body = large;
  request.stall_timeout = milliseconds(200);
  EXPECT_THAT(error_of(client.send(request)).detail.text, HasSubstr("no byte came or went"));
  noticed.set_value();
}

/// A body of 1000 bytes, one each 20 ms.
void drip(TestConnection& connection) {
  connection.read_request();
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 1000 && connection.write("x"); ++i) std::this_thread::sleep_for(milliseconds(20));
}

TEST(HttpClientFault, ADripIsNoStallButTheDeadlineHolds) {
  TestServer server(drip);
  HttpClient client;
  Request request = get(server.url("/"));
  request.stall_timeout = milliseconds(1500);
  request.deadline = Deadline::in(milliseconds(2500));
  const auto start = Clock::now();
  std::string got;
  const Error error = read_error(client.send(request), got);
  EXPECT_EQ(error.kind, ErrorKind::try_later);
  EXPECT_THAT(error.detail.text, HasSubstr("the time for it is used up"));
  EXPECT_GT(got.size(), 5U);
  EXPECT_GE(Clock::now() - start, milliseconds(2500));
  EXPECT_LT(Clock::now() - start, milliseconds(15'000)) << "the whole body takes twenty seconds";
}

TEST(HttpClientFault, TheDeadlineHoldsBeforeTheAnswer) {
  TestServer server([](TestConnection& connection) {
    connection.read_request();
    connection.read_request();
  });
  HttpClient client;
  Request request = get(server.url("/"));
  request.deadline = Deadline::in(milliseconds(150));
  const auto start = Clock::now();
  EXPECT_THAT(error_of(client.send(request)).detail.text, HasSubstr("the time for it is used up"));
  EXPECT_LT(Clock::now() - start, milliseconds(5000));
}

TEST(HttpClientFault, ACancelledExchangeEndsBeforeItsTime) {
  std::stop_source cancelling;
  TestServer server([&](TestConnection& connection) {
    connection.read_request();
    cancelling.request_stop();
    connection.read_request();  // until the client goes
  });
  HttpClient client;
  Request request = get(server.url("/"));
  request.stall_timeout = milliseconds(600'000);
  request.cancelled = cancelling.get_token();
  EXPECT_THAT(error_of(client.send(request)).detail.text, HasSubstr("the time for it is used up"));
}

TEST(HttpClientFault, ASlowReaderIsNoStall) {
  const std::string large(2U << 20U, 'x');
  TestServer server(answering([&](const TestRequest&) { return test_answer(200, large); }));
  HttpClient client;
  Request request = get(server.url("/"));
  request.stall_timeout = milliseconds(1500);
  const auto exchange = client.send(request).value();
  std::this_thread::sleep_for(milliseconds(1600));
  EXPECT_EQ(read_body(*exchange, large.size()).value().size(), large.size());
}

/// Closes each connection after one answer, without saying so, once the next request has come.
class DyingServer {
 public:
  DyingServer()
      : server([this](TestConnection& connection) {
          if (!connection.read_request()) return;
          connection.write(test_answer(200, "fine"));
          if (!connection.read_request()) return;
          ++lost;
          connection.reset();
        }) {}
  std::atomic<int> lost{0};
  TestServer server;
};

TEST(HttpClientFault, AKeptConnectionThatDies) {
  DyingServer dying;
  HttpClient client;
  Request request = get(dying.server.url("/"));
  EXPECT_EQ(read_body(**client.send(request), 10).value(), "fine");
  EXPECT_EQ(read_body(**client.send(request), 10).value(), "fine") << "asking twice is no harm";
  EXPECT_EQ(dying.lost, 1);

  // A write may have taken effect: that it was lost is for the caller to know.
  request.method = "PUT";
  request.body = "abc";
  EXPECT_EQ(error_of(client.send(request)).kind, ErrorKind::try_later);
  EXPECT_EQ(dying.lost, 2);
  EXPECT_EQ(read_body(**client.send(request), 10).value(), "fine");
  EXPECT_EQ(dying.lost, 2);
}

TEST(HttpClientFault, ManyThreadsAgainstABadServer) {
  TestServer server([](TestConnection& connection) {
    while (const auto request = connection.read_request()) {
      if (connection.number() % 3 == 0) return connection.reset();
      if (connection.number() % 3 == 1) {
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc");
        return;
      }
      if (!connection.write(test_answer(200, std::string(100'000, 'x')))) return;
    }
  });
  HttpClient client;
  std::atomic<int> whole{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto exchange = client.send(get(server.url("/")));
        if (!exchange) continue;
        const auto body = read_body(**exchange, 1'000'000);
        if (!body) continue;
        EXPECT_EQ(body->size(), 100'000U);
        ++whole;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(whole, 0);
}

}  // namespace
}  // namespace dropscore::net
