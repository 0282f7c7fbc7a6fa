// What the HTTP client sends and understands, against a server in this process.
#include "net/http_client.h"

#include <array>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/test_server.h"

namespace dropscore::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// Gives `pieces` one by one, then the end, or `error` where it has one.
class PieceSource : public ByteSource {
 public:
  explicit PieceSource(std::vector<std::string> pieces, std::optional<Error> error = {})
      : pieces_(std::move(pieces)), error_(std::move(error)) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (next_ == pieces_.size()) {
      if (error_) return tl::unexpected(*error_);
      return 0U;
    }
    const std::string& piece = pieces_[next_++];
    return piece.copy(out.data(), out.size());
  }

 private:
  std::vector<std::string> pieces_;
  std::optional<Error> error_;
  std::size_t next_ = 0;
};

Request get(std::string url) {
  Request request;
  request.method = "GET";
  request.url = std::move(url);
  return request;
}

Request put(std::string url, std::string_view body) {
  Request request = get(std::move(url));
  request.method = "PUT";
  request.body = body;
  return request;
}

std::string body_of(Result<std::unique_ptr<Exchange>> exchange) {
  if (!exchange) return "no answer: " + exchange.error().detail.text;
  Result<std::string> body = read_body(**exchange, 64U << 20U);
  return body ? *body : "broken: " + body.error().detail.text;
}

/// The request that came, as the body of the answer.
std::string echo(const TestRequest& request) {
  std::string text = request.method + " " + request.target + "\n";
  for (const Header& header : request.headers) text += header.name + ": " + header.value + "\n";
  return test_answer(200, text + "\n" + request.body);
}

TEST(HttpClient, SendsWhatItIsTold) {
  TestServer server(answering(echo));
  HttpClient client;
  Request request = get(server.url("/a/../b%20c/./d?x=%2F&y=1"));
  request.headers = {{"x-ms-version", "2021-12-02"}, {"x-ms-meta-empty", ""}};
  const std::string seen = body_of(client.send(request));
  EXPECT_THAT(seen, ::testing::StartsWith("GET /a/../b%20c/./d?x=%2F&y=1\n")) << "the path goes out as it is";
  EXPECT_THAT(seen, HasSubstr("x-ms-version: 2021-12-02\n"));
  EXPECT_THAT(seen, HasSubstr("x-ms-meta-empty: \n"));
  EXPECT_THAT(seen, HasSubstr("User-Agent: dropscore/"));
  EXPECT_THAT(seen, Not(HasSubstr("Content-Length")));
}

TEST(HttpClient, AddsNothingToABody) {
  TestServer server(answering(echo));
  HttpClient client;
  for (const char* method : {"PUT", "POST"}) {
    Request request = put(server.url("/"), "");
    request.method = method;
    const std::string empty = body_of(client.send(request));
    EXPECT_THAT(empty, HasSubstr("Content-Length: 0\n")) << method;
    const std::string large(3U << 20U, 'x');
    request.body = large;
    const std::string seen = body_of(client.send(request));
    EXPECT_THAT(seen.substr(0, 500), HasSubstr("Content-Length: 3145728\n"));
    EXPECT_THAT(seen.substr(0, 500), Not(HasSubstr("Expect")));
    EXPECT_THAT(seen.substr(0, 500), Not(HasSubstr("Content-Type")));
    EXPECT_TRUE(seen.ends_with(large));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
  TestServer server(answering([](const TestRequest&) {
    return "HTTP/1.1 100 Continue\r\nX-First: no\r\n\r\n" +
           test_answer(404, "not here", {{"X-Ms-Error-Code", " BlobNotFound \t"}, {"ETag", "\"0x1\""}});
  }));
  HttpClient client;
  const auto exchange = client.send(get(server.url("/")));
  ASSERT_TRUE(exchange) << exchange.error().detail.text;
  EXPECT_EQ((*exchange)->status(), 404);
  EXPECT_EQ((*exchange)->header("x-ms-error-code"), "BlobNotFound");
  EXPECT_EQ((*exchange)->header("etag"), "\"0x1\"");
  EXPECT_EQ((*exchange)->header("x-first"), std::nullopt) << "a header of the answer before the answer";
  EXPECT_EQ(read_body(**exchange, 100).value(), "not here");
  EXPECT_EQ(read_body(**exchange, 100).value(), "") << "the end stays the end";
}

TEST(HttpClient, ABodyIsNeverOverTheLimit) {
  TestServer server(answering([](const TestRequest&) { return test_answer(200, "0123456789"); }));
  HttpClient client;
  EXPECT_EQ(read_body(**client.send(get(server.url("/"))), 10).value(), "0123456789");
  EXPECT_EQ(read_body(**client.send(get(server.url("/"))), 9).error().kind, ErrorKind::too_large);
}

TEST(HttpClient, AnswersWithoutABody) {
  TestServer server(answering([](const TestRequest& request) -> std::string {
    if (request.method == "HEAD") return "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n";
    if (request.method == "DELETE") return "HTTP/1.1 204 No Content\r\n\r\n";
    return "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n";
  }));
  HttpClient client;
  for (const char* method : {"HEAD", "DELETE", "GET"}) {
    Request request = get(server.url("/"));
    request.method = method;
    const auto exchange = client.send(request);  // not read: the connection must be free all the same
    ASSERT_TRUE(exchange);
    if (request.method == "HEAD") {
      EXPECT_EQ((*exchange)->header("Content-Length"), "12345");
    }
    std::array<char, 8> nothing{};
    EXPECT_EQ((*exchange)->read(nothing).value(), 0U);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, KeepsItsConnections) {
  TestServer server(answering(echo));
  HttpClient client;
  for (int i = 0; i < 20; ++i) body_of(client.send(get(server.url("/"))));
  EXPECT_EQ(server.connections(), 1);
  {
    const auto one = client.send(get(server.url("/")));
    const auto two = client.send(get(server.url("/")));  // both at once: `one` is whole, but nobody has read it
    EXPECT_LE(server.connections(), 2);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 25; ++n) EXPECT_THAT(body_of(client.send(get(server.url("/t")))), HasSubstr("GET /t"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(server.connections(), 5) << "one for each thread, at most one more from before";
}

TEST(HttpClient, ABodyThatIsNotReadCostsTheConnectionOnly) {
  const std::string large(4U << 20U, 'x');
  TestServer server(answering([&](const TestRequest&) { return test_answer(200, large); }));
  std::unique_ptr<Exchange> outlives;
  {
    HttpClient client;
    { const auto dropped = client.send(get(server.url("/"))).value(); }
    EXPECT_EQ(body_of(client.send(get(server.url("/")))).size(), large.size());
    EXPECT_EQ(server.connections(), 2);
    outlives = client.send(get(server.url("/"))).value();
  }
  EXPECT_EQ(read_body(*outlives, large.size()).value().size(), large.size());
}

TEST(HttpClient, ReadsChunksAndTrailers) {
  TestServer server(answering([](const TestRequest&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n10;name=value\r\n0123456789abcdef\r\n0\r\nX-Trailer: late\r\n\r\n";
  }));
  HttpClient client;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(client.send(get(server.url("/")))), "abc0123456789abcdef");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, SendsASourceInChunks) {
  TestServer server(answering(echo));
  HttpClient client;
  const std::vector<std::string> pieces(100, "0123456789");
  PieceSource source(pieces);
  Request request = put(server.url("/"), "");
  request.body_source = &source;
  const std::string seen = body_of(client.send(request));
  EXPECT_THAT(seen, HasSubstr("Transfer-Encoding: chunked\n"));
  EXPECT_THAT(seen, Not(HasSubstr("Content-Length")));
  std::string wanted;
  for (const std::string& piece : pieces) wanted += piece;
  EXPECT_TRUE(seen.ends_with("\n\n" + wanted));

  PieceSource nothing({});
  request.body_source = &nothing;
  EXPECT_TRUE(body_of(client.send(request)).ends_with("\n\n"));
}

/// `size` bytes, each what its place says.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

TEST(HttpClient, UploadAndAnswerFlowAtTheSameTime) {
  // The server sends each chunk back before it reads the next: more than all buffers on the way can hold, so whoever
  // does only one of the two at a time comes to a stop.
  TestServer server([](TestConnection& connection) {
    while (const auto head = connection.read_head()) {
      connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (std::string chunk = connection.read_chunk(); !chunk.empty(); chunk = connection.read_chunk()) {
        std::array<char, 32> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", chunk.size());
        if (!connection.write(size.data() + chunk + "\r\n")) return;
      }
      connection.write("0\r\n\r\n");
    }
  });
  HttpClient client;
  const std::string all = pattern(24U << 20U);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < all.size(); at += 100'000) pieces.push_back(all.substr(at, 100'000));
  for (int i = 0; i < 2; ++i) {
    PieceSource source(pieces);
    Request request = put(server.url("/"), "");
    request.method = "POST";
    request.body_source = &source;
    request.stall_timeout = milliseconds(5000);
    EXPECT_TRUE(body_of(client.send(request)) == all);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, AnEarlyRefusalEndsTheUpload) {
  TestServer server([](TestConnection& connection) {
    connection.read_head();
    connection.write(test_answer(413, "too much", {{"Connection", "close"}}));
    while (!connection.read_chunk().empty()) {
    }
  });
  HttpClient client;
  PieceSource source(std::vector<std::string>(4000, std::string(10'000, 'x')));
  Request request = put(server.url("/"), "");
  request.body_source = &source;
  const auto exchange = client.send(request);
  ASSERT_TRUE(exchange) << exchange.error().detail.text;
  EXPECT_EQ((*exchange)->status(), 413);
  EXPECT_EQ(read_body(**exchange, 100).value(), "too much");
}

TEST(HttpClient, ASourcesErrorComesBackAsItWas) {
  TestServer server(answering(echo));
  HttpClient client;
  const Error broken{ErrorKind::changed, CustomerText{"for them"}, OperatorText{"for us"}};
  PieceSource source({"abc"}, broken);
  Request request = put(server.url("/"), "");
  request.body_source = &source;
  const auto exchange = client.send(request);
  ASSERT_FALSE(exchange);
  EXPECT_EQ(exchange.error().kind, ErrorKind::changed);
  EXPECT_EQ(exchange.error().customer.text, "for them");
  EXPECT_EQ(exchange.error().detail.text, "for us");
}

TEST(HttpClient, ASourcesErrorAfterTheAnswerBegan) {
  TestServer server([](TestConnection& connection) {
    connection.read_head();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    while (!connection.read_chunk().empty()) {
    }
  });
  class Late : public ByteSource {
   public:
    Result<std::size_t> read(std::span<char> out) override {
      if (++reads_ > 200) return fail(ErrorKind::not_found, "gone");
      std::this_thread::sleep_for(milliseconds(1));
      out.front() = 'x';
      return 1U;
    }

   private:
    int reads_ = 0;
  };
  Late source;
  HttpClient client;
  Request request = put(server.url("/"), "");
  request.body_source = &source;
  const auto exchange = client.send(request);
  ASSERT_TRUE(exchange) << exchange.error().detail.text;
  std::array<char, 64> out{};
  EXPECT_EQ((*exchange)->read(out).value(), 3U);
  for (int i = 0; i < 2; ++i) {
    const auto end = (*exchange)->read(out);
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().kind, ErrorKind::not_found) << end.error().detail.text;
  }
}

TEST(HttpClient, HoldsLittleOfWhatNobodyReads) {
  std::atomic<std::size_t> written{0};
  TestServer server([&](TestConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n");
    const std::string piece(1U << 20U, 'x');
    for (int i = 0; i < 256 && connection.write(piece); ++i) written += piece.size();
  });
  HttpClient client;
  const auto exchange = client.send(get(server.url("/"))).value();
  std::this_thread::sleep_for(milliseconds(200));
  std::array<char, 1000> out{};
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(exchange->read(out));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(written, 32U << 20U) << "the server has to wait";
}

TEST(HttpClient, RefusesWhatIsNoRequest) {
  HttpClient client;
  const auto kind_of = [&](const Request& request) {
    const auto exchange = client.send(request);
    return exchange ? "answered" : std::string(name(exchange.error().kind)) + ": " + exchange.error().detail.text;
  };
  for (const char* url : {"", "no url", "file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/",
                          "http://127.0.0.1:99999/", "http://127.0.0.1/a b"}) {
    EXPECT_THAT(kind_of(get(url)), ::testing::StartsWith("misuse")) << url;
    EXPECT_THAT(kind_of(get(url)), Not(HasSubstr("pass@"))) << url;
  }
  Request request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  EXPECT_THAT(kind_of(request), ::testing::StartsWith("misuse"));
  request.headers = {{"X A", "1"}};
  EXPECT_THAT(kind_of(request), ::testing::StartsWith("misuse"));
  request.headers.clear();
  request.method = "GET /x HTTP/1.1\r\nX: ";
  EXPECT_THAT(kind_of(request), ::testing::StartsWith("misuse"));
}

}  // namespace
}  // namespace dropscore::net
