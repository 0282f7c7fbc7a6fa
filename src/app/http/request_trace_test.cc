// A request's trace: from its header to the log, to the threads that answer it, and to the exporter.
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"
#include "telemetry/span_exporter.h"
#include "tests/support/tiny_model.h"

namespace dropscore::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string traceparent = "traceparent: 00-" + trace_id + "-00f067aa0ba902b7-01\r\n";
const std::string trace_bytes = "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";
const std::string parent_bytes("\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);

class RequestTraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log::set_up(log::Level::info, log::Format::text);
    ::testing::internal::CaptureStderr();
    ServerOptions options;
    options.port = 0;
    Endpoint endpoint;
    endpoint.path = "/where";
    endpoint.allow = "GET";
    endpoint.answer = [](const EndpointRequest&) {
      EndpointReply reply;
      const telemetry::TraceContext& trace = telemetry::current_trace();
      reply.body = trace.has_span() ? telemetry::traceparent(trace) : "nowhere";
      return reply;
    };
    auto started =
        Server::start([model = dropscore::testing::tiny_model()] { return job::Scorer(model); }, options, {endpoint});
    ASSERT_TRUE(started) << started.error().detail.text;
    server_ = std::move(*started);
  }
  ~RequestTraceTest() override {
    telemetry::stop_export(std::chrono::seconds(5));
    log::set_up(log::Level::warning, log::Format::text);
  }

  void start_export() {
    telemetry::TraceSettings settings;
    settings.endpoint = "http://collector/v1/traces";
    telemetry::start_export(
        settings,
        [this](const std::string& body, const Deadline&, const std::stop_token&) -> Result<telemetry::SendReply> {
          exported_ += body;
          return telemetry::SendReply{.status = 200, .retry_after = {}, .body = {}};
        });
  }
  Response ask(const std::string& line, const std::string& headers, const std::string& body = "") const {
    const std::string length = body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return TestClient(server_->port()).ask(line + " HTTP/1.1\r\nHost: a\r\n" + headers + length + "\r\n" + body);
  }
  /// Everything that was logged; the server has ended then, and everything was exported.
  std::string log() {
    server_->stop();
    telemetry::stop_export(std::chrono::seconds(5));
    return ::testing::internal::GetCapturedStderr();
  }

  std::unique_ptr<Server> server_;
  std::string exported_;
};

TEST_F(RequestTraceTest, TheLogNamesTheTraceThatTheClientNamed) {
  EXPECT_EQ(ask("GET /health", traceparent).status, 200);
  EXPECT_EQ(ask("GET /health", "").status, 200);
  // Not for the quick way.
  EXPECT_EQ(ask("DELETE /health", traceparent).status, 405);
  const std::string written = log();
  EXPECT_THAT(written, HasSubstr("path=/health status=200"));
  EXPECT_THAT(written, ::testing::ContainsRegex("status=200 .* trace_id=" + trace_id + " span_id=00f067aa0ba902b7\n"));
  EXPECT_THAT(written, ::testing::ContainsRegex("status=405 .* trace_id=" + trace_id));
  EXPECT_THAT(written, ::testing::ContainsRegex("request_id=[0-9a-f]*\n")) << "the request without one";
}

TEST_F(RequestTraceTest, ABrokenOrDoubledHeaderIsNoTrace) {
  EXPECT_EQ(ask("GET /health", "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n").status, 200);
  EXPECT_EQ(ask("GET /health", traceparent + traceparent).status, 200);
  EXPECT_EQ(ask("GET /where", traceparent + "Traceparent: x\r\n").body, "nowhere");
  EXPECT_THAT(log(), Not(HasSubstr("trace_id")));
}

TEST_F(RequestTraceTest, WhoeverAnswersIsInTheRequestsSpan) {
  EXPECT_EQ(ask("GET /where", traceparent).body, "00-" + trace_id + "-00f067aa0ba902b7-01");
  EXPECT_EQ(ask("GET /where", "").body, "nowhere");
  start_export();
  const std::string inside = ask("GET /where", traceparent).body;
  EXPECT_THAT(inside, HasSubstr(trace_id));
  EXPECT_THAT(inside, Not(HasSubstr("00f067aa0ba902b7"))) << "the request's own span";
  EXPECT_NE(ask("GET /where", "").body, "nowhere") << "a trace begins";
  log();
}

TEST_F(RequestTraceTest, ASpanIsExported) {
  start_export();
  EXPECT_EQ(
      ask("POST /predict", traceparent + "tracestate: a=1\r\ntracestate: b=2\r\nContent-Type: application/json\r\n",
          R"({"Age":50,"Channel":"SEO"})")
          .status,
      200);
  const std::string written = log();
  for (const std::string& part : {trace_bytes, parent_bytes, std::string("POST /predict"), std::string("a=1,b=2"),
                                  std::string("http.response.status_code"), std::string("dropscore.request_id")}) {
    EXPECT_THAT(exported_, HasSubstr(part));
  }
  EXPECT_THAT(exported_, Not(HasSubstr("SEO")));
  EXPECT_THAT(written, HasSubstr("trace_id=" + trace_id));
  EXPECT_THAT(written, Not(HasSubstr("span_id=00f067aa0ba902b7"))) << "the request's own span";
}

TEST_F(RequestTraceTest, ThePathsThatNobodyKnowsStayHere) {
  start_export();
  ask("GET /private?secret", traceparent);
  log();
  EXPECT_THAT(exported_, HasSubstr(trace_bytes));
  EXPECT_THAT(exported_, Not(HasSubstr("private")));
}

TEST_F(RequestTraceTest, WhatIsNotSampledIsNotExported) {
  start_export();
  ask("GET /health", "traceparent: 00-" + trace_id + "-00f067aa0ba902b7-00\r\n");
  EXPECT_THAT(log(), HasSubstr("trace_id=" + trace_id));
  EXPECT_THAT(exported_, Not(HasSubstr(trace_bytes)));
}

}  // namespace
}  // namespace dropscore::http
