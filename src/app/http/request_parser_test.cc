#include "app/http/request_parser.h"

#include <gtest/gtest.h>

namespace dropscore::http {
namespace {

constexpr std::size_t limit = 1024;

/// Status of the refusal, 0 for a request that is fine, -1 for one that goes on.
int read_status(std::string_view bytes) {
  RequestParser parser(limit);
  switch (parser.read_head(bytes)) {
    case RequestParser::Head::need_bytes: return -1;
    case RequestParser::Head::ready: return 0;
    case RequestParser::Head::refused: return static_cast<int>(parser.problem().status);
  }
  return -1;
}

TEST(RequestParser, ReadsAHead) {
  RequestParser parser(limit);
  std::string_view bytes =
      "POST /predict?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\ncontent-length: 5\r\nAccept: text/csv\r\n"
      "Accept: */*;q=0.1\r\nX-Request-ID: abc\r\n\r\nhello";
  ASSERT_EQ(parser.read_head(bytes), RequestParser::Head::ready);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/predict?x=1");
  EXPECT_TRUE(head.http_1_1);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.content_type, "text/csv");
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_EQ(head.accept, "text/csv,*/*;q=0.1");
  EXPECT_EQ(head.request_id, "abc");
  EXPECT_EQ(bytes, "hello");
}

struct BodyCase {
  const char* headers;
  std::string wire;
};

struct WholeRequest {
  bool ended = false;
  std::string body;
  std::string_view rest;
};

/// Reads `bytes`, of which the first `cut` are there at first and the others once the parser asks for more.
WholeRequest read_whole(std::string_view bytes, std::size_t cut, std::size_t room) {
  WholeRequest request;
  RequestParser parser(limit);
  std::string_view in = bytes.substr(0, cut);
  const auto show_all = [&] { in = bytes.substr(static_cast<std::size_t>(in.data() - bytes.data())); };
  if (parser.read_head(in) == RequestParser::Head::need_bytes) {
    show_all();
    if (parser.read_head(in) != RequestParser::Head::ready) return request;
  }
  for (int steps = 0; !request.ended && steps < 1000; ++steps) {
    std::string out(room, '\0');
    std::size_t count = 0;
    const RequestParser::Body got = parser.read_body(in, out, count);
    if (got == RequestParser::Body::refused) break;
    if (got == RequestParser::Body::need_bytes) show_all();
    request.body.append(out, 0, count);
    request.ended = got == RequestParser::Body::end;
  }
  show_all();
  request.rest = in;
  return request;
}

// A request is the same however the network cuts it.
TEST(RequestParser, AnyCutGivesTheSameBody) {
  const std::string chunks = "5\r\nhello\r\n6;ext=\"a\"\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
  for (const BodyCase& one :
       {BodyCase{"Content-Length: 11", "hello world"}, BodyCase{"Transfer-Encoding: chunked", chunks}}) {
    const std::string bytes =
        std::string("POST / HTTP/1.1\r\nHost: a\r\n") + one.headers + "\r\n\r\n" + one.wire + "GET ";
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      for (const std::size_t room : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
        const WholeRequest request = read_whole(bytes, cut, room);
        ASSERT_TRUE(request.ended) << cut;
        EXPECT_EQ(request.body, "hello world");
        EXPECT_EQ(request.rest, "GET ") << cut;
      }
    }
  }
}

TEST(RequestParser, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string begin = "POST /predict HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(read_status(begin + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: \x0b chunked\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding: xchunked\r\n\r\n"), 501);
  EXPECT_EQ(read_status(begin + "Transfer-Encoding : chunked\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: 5, 6\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: +5\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: -5\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: 0x5\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: 99999999999999999999999\r\n\r\n"), 400);
  EXPECT_EQ(read_status(begin + "Content-Length: \r\n\r\n"), 400);
  EXPECT_EQ(read_status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
  EXPECT_EQ(read_status("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(read_status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(read_status("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(read_status("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(read_status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400);
  EXPECT_EQ(read_status("GET /\r\n\r\n"), 400);
  EXPECT_EQ(read_status("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(read_status("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"), 400);
  EXPECT_EQ(read_status("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), 400);
  EXPECT_EQ(read_status("GET / HTTP/1.1\r\nHost: a\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n"), 400);
  EXPECT_EQ(read_status("\x16\x03\x01\x02\x00\x01"), 400);  // TLS on a plain port
}

TEST(RequestParser, HeaderLimitCountsEverything) {
  const std::string begin = "GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: a\r\n";
  const auto padded = [&](std::size_t size) {
    std::string head = begin + "X: ";
    head.append(size - head.size() - 4, 'x');
    return head + "\r\n\r\n";
  };
  EXPECT_EQ(read_status(padded(limit)), 0);
  EXPECT_EQ(read_status(padded(limit + 1)), 431);
  EXPECT_EQ(read_status("GET /" + std::string(2 * limit, 'a')), 431);
  EXPECT_EQ(read_status(begin + "X: " + std::string(2 * limit, 'x')), 431);
  // Line by line, as a slow client sends them.
  RequestParser parser(limit);
  std::string pending = begin;
  int status = 0;
  for (int i = 0; i < 1000 && status == 0; ++i) {
    std::string_view in = pending;
    if (parser.read_head(in) == RequestParser::Head::refused) status = static_cast<int>(parser.problem().status);
    pending = std::string(in) + "A: b\r\n";
  }
  EXPECT_EQ(status, 431);
}

TEST(RequestParser, RefusesBadChunks) {
  for (const char* body : {"zz\r\n", "5\r\nhelloX", "-1\r\n", "ffffffffffffffffff\r\n", "5\nhello\n"}) {
    RequestParser parser(limit);
    const std::string request =
        std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") + body + "\r\n0\r\n\r\n";
    std::string_view in = request;
    ASSERT_EQ(parser.read_head(in), RequestParser::Head::ready);
    auto got = RequestParser::Body::bytes;
    for (int i = 0; i < 10 && got == RequestParser::Body::bytes; ++i) {
      std::string out(64, '\0');
      std::size_t count = 0;
      got = parser.read_body(in, out, count);
    }
    EXPECT_EQ(got, RequestParser::Body::refused) << body;
  }
}

}  // namespace
}  // namespace dropscore::http
