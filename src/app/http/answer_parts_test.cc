// The parts that need no socket: problems, heads, routes, options, the spool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/options.h"
#include "app/http/problem.h"
#include "app/http/request_log.h"
#include "app/http/response.h"
#include "app/http/routes.h"
#include "app/http/spool.h"

namespace dropscore::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Problem, SaysTheOriginalsKeysToo) {
  Problem problem{.status = 422, .detail = "say \"please\"", .errors_json = R"([{"row":2}])"};
  EXPECT_EQ(problem_json(problem),
            R"({"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"say \"please\"",)"
            R"("success":false,"error":"say \"please\"","errors":[{"row":2}]})");
}

TEST(Problem, OperatorsTextStaysInside) {
  const Problem problem = problem_of(Error{ErrorKind::give_up, {"sorry"}, {"/secret/path"}});
  EXPECT_EQ(problem.status, 500U);
  EXPECT_THAT(problem_json(problem), Not(HasSubstr("secret")));
}

TEST(Problem, EachKindHasAStatusWithAName) {
  for (const ErrorKind kind : {ErrorKind::reject, ErrorKind::too_large, ErrorKind::not_found, ErrorKind::changed,
                               ErrorKind::try_later, ErrorKind::misuse, ErrorKind::give_up}) {
    EXPECT_NE(reason_phrase(status_of(kind)), "Unknown");
  }
  job::Refusal malformed;
  malformed.error.kind = ErrorKind::reject;
  malformed.malformed = true;
  EXPECT_EQ(problem_of(malformed).status, 400U);
  malformed.malformed = false;
  EXPECT_EQ(problem_of(malformed).status, 422U);
}

std::string head_text(const ResponseHead& head) {
  std::string text;
  append_head(text, head);
  return text;
}

TEST(Response, Head) {
  const std::vector<Header> more{{"Allow", "GET"}};
  ResponseHead head;
  head.content_type = "text/csv";
  head.content_length = 7;
  head.headers = more;
  std::string text = head_text(head);
  EXPECT_THAT(text, testing::StartsWith("HTTP/1.1 200 OK\r\nServer: dropscore/"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nAllow: GET\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Connection")));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
  head.http_1_1 = false;
  EXPECT_THAT(head_text(head), HasSubstr("Connection: keep-alive"));
  head.keep_alive = false;
  head.framing = Framing::to_close;
  text = head_text(head);
  EXPECT_THAT(text, HasSubstr("Connection: close"));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
}

TEST(Response, DateAndChunks) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's example
  std::string out;
  append_chunk(out, std::string(26, 'x'));
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n");
}

TEST(Routes, PathsAreKnownByTheirTemplates) {
  const Routes routes = *Routes::make(true, {}, {});
  EXPECT_EQ(routes.path_template("/predict"), "/predict");
  EXPECT_EQ(routes.path_template("/predict/?name=Jane"), "/predict");
  EXPECT_EQ(routes.path_template("http://host:80/health"), "/health");
  EXPECT_EQ(routes.path_template("/predict//"), "other");
  EXPECT_EQ(routes.path_template("/customers/jane"), "other");
  EXPECT_EQ(routes.path_template("*"), "other");
  EXPECT_EQ(routes.path_template("http://host"), "other");
  EXPECT_EQ(routes.path_template("/Predict"), "other");
}

TEST(RequestLog, Ids) {
  EXPECT_NE(request_id(""), request_id(""));
  EXPECT_EQ(request_id("abc-123"), "abc-123");
  EXPECT_EQ(request_id("").size(), 32U);
  EXPECT_EQ(request_id("a b").size(), 32U);
  EXPECT_EQ(request_id("caf\xC3\xA9").size(), 32U);
  EXPECT_EQ(request_id(std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_EQ(request_id(std::string(129, 'x')).size(), 32U);
}

TEST(ServerOptions, Validate) {
  EXPECT_TRUE(ServerOptions{}.validate());
  const auto refused = [](auto change) {
    ServerOptions options;
    change(options);
    return !options.validate();
  };
  EXPECT_TRUE(refused([](ServerOptions& o) { o.threads = 0; }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.host.clear(); }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.max_header_bytes = 10; }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.max_json_body_bytes = std::uint64_t{1} << 40U; }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.max_buffered_body_bytes = 1; }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.max_connections = 0; }));
  EXPECT_TRUE(refused([](ServerOptions& o) { o.write_timeout_ms = 0; }));
}

TEST(Spool, GivesBackInOrder) {
  Result<Spool> spool = Spool::open("");
  ASSERT_TRUE(spool) << spool.error().detail.text;
  ASSERT_TRUE(spool->append("hello "));
  std::string out(4, '\0');
  EXPECT_EQ(spool->take(out), 4U);
  EXPECT_EQ(out, "hell");
  ASSERT_TRUE(spool->append("world"));
  out.assign(100, '\0');
  ASSERT_EQ(spool->take(out), 7U);
  EXPECT_EQ(out.substr(0, 7), "o world");
  EXPECT_EQ(spool->take(out), 0U);
  EXPECT_FALSE(Spool::open("/no/such/folder"));
}

}  // namespace
}  // namespace dropscore::http
