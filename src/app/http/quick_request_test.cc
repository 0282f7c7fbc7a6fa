// The quick reader takes what it should, and never reads a request otherwise than RequestParser.
#include "app/http/quick_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "app/http/test_client.h"

namespace dropscore::http {
namespace {

constexpr QuickLimits limits{4096, 1000};

bool taken(std::string_view in) {
  QuickRequest request;
  return read_quick_request(in, limits, request);
}

TEST(QuickRequest, TakesWhatClientsSend) {
  const std::string text =
      "POST /predict?a=1 HTTP/1.1\r\nhost: example.com:8000\r\nUser-Agent: curl/8.5.0\r\nACCEPT:  */* \r\n"
      "Content-Type: application/json; charset=utf-8\r\nContent-Length: 7\r\nConnection: Keep-Alive\r\n"
      "X-Request-Id: abc\r\nx-api-key: secret\r\nAuthorization: Bearer other\r\nEmpty:\r\n\r\n{\"a\":1}";
  QuickRequest request;
  const std::string and_more = text + "GET /next";
  ASSERT_TRUE(read_quick_request(and_more, limits, request));
  EXPECT_EQ(request.head.method, "POST");
  EXPECT_EQ(request.head.target, "/predict?a=1");
  EXPECT_EQ(request.head.accept, "*/*");
  EXPECT_EQ(request.head.content_type, "application/json; charset=utf-8");
  EXPECT_EQ(request.head.content_length, 7U);
  EXPECT_EQ(request.head.request_id, "abc");
  EXPECT_EQ(request.head.api_key, "secret");
  EXPECT_EQ(request.head.authorization, "Bearer other");
  EXPECT_TRUE(request.head.http_1_1 && request.head.keep_alive && !request.head.chunked);
  EXPECT_EQ(request.body, "{\"a\":1}");
  EXPECT_EQ(request.bytes, text.size());
  EXPECT_TRUE(taken("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(taken("HEAD /health HTTP/1.1\r\nHost:\r\n\r\n"));
}

TEST(QuickRequest, LeavesWhatIsMissingOrUnusual) {
  const std::string whole = post("application/json", "{}", "X-Request-Id: 1\r\nX-API-Key: k\r\nAuthorization: k\r\n");
  EXPECT_TRUE(taken(whole));
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_FALSE(taken(whole.substr(0, i))) << i;
  const std::string once = "X-Request-Id: 1\r\nX-API-Key: k\r\nAuthorization: k\r\n";
  for (const char* field : {"Host: b",
                            "Content-Length: 2",
                            "Content-Type: text/csv",
                            "X-Request-Id: 2",
                            "X-API-Key: k",
                            "Authorization: k",
                            "Transfer-Encoding: chunked",
                            "Expect: 100-continue",
                            "Connection: close",
                            "Connection: keep-alive, upgrade",
                            "Upgrade: h2c",
                            "Proxy-Connection: close",
                            "Content-Encoding: gzip",
                            "A : 1",
                            ": 1",
                            "A",
                            "A: caf\xC3\xA9",
                            "A: b\tc",
                            " folded",
                            "A: b\rc"}) {
    EXPECT_FALSE(taken(post("application/json", "{}", once + field + "\r\n"))) << field;
  }
  EXPECT_FALSE(taken(post("application/json", std::string(1001, ' '))));
  EXPECT_FALSE(taken(post("application/json", "{}", "A: " + std::string(4096, 'a') + "\r\n")));
  for (const char* request :
       {"GET /health HTTP/1.0\r\nHost: a\r\n\r\n", "GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n", "GET /he alth HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /health HTTP/1.1\r\nHost: a\r\n\r\n", "GET /health HTTP/1.1\nHost: a\n\n",
        "PUT /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST /predict HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n0",
        "\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    EXPECT_FALSE(taken(request)) << request;
  }
}

/// Reads `text` with RequestParser, and holds what it says against `quick`.
void same_as_parser(std::string_view text, const QuickRequest& quick) {
  RequestParser parser(limits.max_header_bytes);
  std::string_view rest = text;
  RC_ASSERT(parser.read_head(rest) == RequestParser::Head::ready);
  const RequestHead& head = parser.head();
  RC_ASSERT(head.method == quick.head.method);
  RC_ASSERT(head.target == quick.head.target);
  RC_ASSERT(head.http_1_1 == quick.head.http_1_1);
  RC_ASSERT(head.keep_alive == quick.head.keep_alive);
  RC_ASSERT(head.chunked == quick.head.chunked);
  RC_ASSERT(head.content_length == quick.head.content_length);
  RC_ASSERT(head.content_type == quick.head.content_type);
  RC_ASSERT(head.content_encoding == quick.head.content_encoding);
  RC_ASSERT(head.expect == quick.head.expect);
  RC_ASSERT(head.request_id == quick.head.request_id);
  RC_ASSERT(head.api_key == quick.head.api_key);
  RC_ASSERT(head.authorization == quick.head.authorization);
  RC_ASSERT(head.accept == quick.head.accept);
  RC_ASSERT(head.traceparent == quick.head.traceparent);
  RC_ASSERT(head.tracestate == quick.head.tracestate);
  std::string body(quick.body.size() + 1, '\0');
  std::size_t count = 0;
  std::size_t filled = 0;
  while (parser.read_body(rest, std::span(body).subspan(filled), count) == RequestParser::Body::bytes) filled += count;
  RC_ASSERT(body.substr(0, filled) == quick.body);
  RC_ASSERT(text.size() - rest.size() == quick.bytes);
}

/// Pieces of requests, sound and broken, in any order, with a byte changed here and there.
rc::Gen<std::string> requests() {
  const auto line = rc::gen::element<std::string>(
      "POST /predict HTTP/1.1\r\n", "GET /health HTTP/1.1\r\n", "HEAD /health?x HTTP/1.1\r\n", "GET /a HTTP/1.0\r\n",
      "POST /p\x7f HTTP/1.1\r\n", "GET /\"<>` HTTP/1.1\r\n", "GET / HTTP/1.12\r\n");
  const auto field = rc::gen::element<std::string>(
      "Host: a\r\n", "Content-Length: 3\r\n", "Content-Length: 03\r\n", "Content-Length: +3\r\n",
      "content-length:3 \r\n", "Content-Type: application/json\r\n", "Accept: text/csv\r\n", "accept:\r\n",
      "X-Request-Id: 7\r\n", "Connection: keep-alive\r\n", "Connection: close\r\n", "Connection:\r\n",
      "Keep-Alive: timeout=5\r\n", "TE: trailers\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n",
      "X-API-Key: 8\r\n", "Authorization: Bearer 9\r\n", "X-API-KEY:\r\n", "X: y\r\n", "X:\r\n", "x\t: y\r\n", " y\r\n",
      "X: \"q\\\"\r\n", "Trailer: X\r\n", "Upgrade: a\r\n", "Sec-X!#: ~\r\n");
  const auto fields = rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(field));
  return rc::gen::map(rc::gen::tuple(line, fields, rc::gen::arbitrary<bool>(), rc::gen::inRange<std::size_t>(0, 400),
                                     rc::gen::inRange(0, 1024)),
                      [](const auto& parts) {
                        std::string text = std::get<0>(parts);
                        if (std::get<2>(parts)) text += "Host: h\r\n";
                        for (const std::string& one : std::get<1>(parts)) text += one;
                        text += "\r\nabcdef";
                        const std::size_t at = std::get<3>(parts);
                        if (at < text.size() && std::get<4>(parts) < 256)
                          text[at] = static_cast<char>(std::get<4>(parts));
                        return text;
                      });
}

RC_GTEST_PROP(QuickRequest, ReadsAsTheParserDoes, ()) {
  const std::string text = *requests();
  QuickRequest quick;
  const bool quickly = read_quick_request(text, limits, quick);
  RC_TAG(quickly ? "taken" : "left");
  if (quickly) same_as_parser(text, quick);
}

// The same on requests that only a few bytes keep from being taken: most are, so that the reading itself is compared.
RC_GTEST_PROP(QuickRequest, ReadsAsTheParserDoesWhereItTakesMost, (const std::string& value, const std::string& body)) {
  std::string printable;
  for (const char c : value) printable += c > ' ' && c < '\x7f' ? c : ' ';
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, 120);
  std::string text = post("application/json", body,
                          "X-Any: " + printable + "\r\nX-Request-Id: r" + printable + "\r\nX-API-Key:" + printable +
                              "\r\nAuthorization: Bearer " + printable + "\r\n");
  if (*rc::gen::arbitrary<bool>()) text[at] = *rc::gen::arbitrary<char>();
  QuickRequest quick;
  if (read_quick_request(text, limits, quick)) same_as_parser(text, quick);
}

}  // namespace
}  // namespace dropscore::http
