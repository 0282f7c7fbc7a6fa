#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/operations/endpoints.h"
#include "app/operations/health.h"
#include "telemetry/heartbeat.h"
#include "telemetry/metrics.h"

namespace dropscore::operations {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::EndpointReply ask(const std::shared_ptr<const Health>& health, std::string_view path) {
  const http::RequestParser parser(1024);
  for (const http::Endpoint& endpoint : operations_endpoints(health)) {
    if (endpoint.path == path) return endpoint.answer({parser, {}});
  }
  ADD_FAILURE() << path;
  return {};
}

TEST(Ready, FromTheStartToTheDrain) {
  const auto health = std::make_shared<Health>(false);
  EXPECT_EQ(ask(health, "/readyz").status, 503U);
  health->started();
  EXPECT_EQ(ask(health, "/readyz").status, 200U);
  EXPECT_EQ(
      ask(health, "/readyz").body,
      R"({"status":"ready","checks":{"started":{"ok":true,"detail":"yes"},"serving":{"ok":true,"detail":"yes"}}})");
  health->drain();
  EXPECT_EQ(ask(health, "/readyz").status, 503U);
  EXPECT_THAT(ask(health, "/readyz").body, HasSubstr(R"("serving":{"ok":false,"detail":"stopping"})"));
  EXPECT_EQ(ask(health, "/livez").status, 200U);  // a restart is under way already
}

TEST(Ready, WantsAModelAndEachPart) {
  const auto health = std::make_shared<Health>(true);
  health->started();
  EXPECT_THAT(ask(health, "/readyz").body, HasSubstr(R"("model":{"ok":false)"));
  telemetry::model_loaded("v1", "svm");
  EXPECT_TRUE(health->ready().ok);
  bool answers = false;
  health->needs("queue", [&answers] { return CheckResult{answers, "answered 300 s ago"}; });
  EXPECT_EQ(ask(health, "/readyz").status, 503U);
  EXPECT_THAT(ask(health, "/readyz").body, HasSubstr(R"("queue":{"ok":false,"detail":"answered 300 s ago"})"));
  EXPECT_EQ(ask(health, "/livez").status, 200U);
  EXPECT_THAT(telemetry::scrape(), HasSubstr("\ndropscore_ready 0\n"));
  answers = true;
  EXPECT_EQ(ask(health, "/readyz").status, 200U);
  EXPECT_THAT(telemetry::scrape(), HasSubstr("\ndropscore_ready 1\n"));
  answers = false;
  health->forget_parts();
  EXPECT_TRUE(health->ready().ok);
}

TEST(Live, AsLongAsEveryThreadGetsOn) {
  const auto health = std::make_shared<Health>(true);
  const telemetry::Pulse patient("reactor", std::chrono::hours(1));
  EXPECT_EQ(ask(health, "/livez").status, 200U);
  EXPECT_THAT(ask(health, "/livez").body, HasSubstr(R"("threads":{"ok":true,"detail":"1 watched"})"));
  {
    const telemetry::Pulse stuck("worker", std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(ask(health, "/livez").status, 503U);
    EXPECT_THAT(ask(health, "/livez").body, HasSubstr("1 of 2 are stuck; a worker thread for "));
    EXPECT_THAT(ask(health, "/livez").body, HasSubstr(" s, its limit being 0 s"));
  }
  EXPECT_EQ(ask(health, "/livez").status, 200U);
}

TEST(Scrape, HasPrometheusContentType) {
  const auto health = std::make_shared<Health>(false);
  const http::EndpointReply reply = ask(health, "/metrics");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(reply.body, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
}

}  // namespace
}  // namespace dropscore::operations
