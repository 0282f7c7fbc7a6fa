// What requests count for. Ids and lines are tested with the server.
#include "app/http/request_log.h"

#include <gtest/gtest.h>

#include "app/http/server.h"
#include "app/http/test_client.h"
#include "tests/support/shown_metric.h"

namespace dropscore::http {
namespace {

using dropscore::testing::shown_metric;

RequestRecord answered(std::string_view path, unsigned status, std::uint64_t scored = 0) {
  RequestRecord record;
  record.begun = std::chrono::steady_clock::now();
  record.method = "POST";
  record.path = path;
  record.status = status;
  record.body_bytes = 10;
  record.sent_bytes = 100;
  record.counts.scored = scored;
  return record;
}

std::string requests(const std::string& path, const std::string& status) {
  return "dropscore_http_requests_total{method=\"POST\",path=\"" + path + "\",status=\"" + status + "\"}";
}

TEST(RequestCounts, AreAddedUpByFlush) {
  RequestCounts counts;
  counts.add(answered("/a", 200, 3), 0.0002);
  counts.add(answered("/a", 200, 4), 0.003);
  counts.add(answered("/a", 422), 0.003);
  RequestRecord cut = answered("/b", 0);
  cut.aborted = true;
  counts.add(cut, 70);
  EXPECT_EQ(shown_metric(requests("/a", "200")), -1);
  counts.flush();
  counts.flush();  // nothing is left
  EXPECT_EQ(shown_metric(requests("/a", "200")), 2);
  EXPECT_EQ(shown_metric(requests("/a", "422")), 1);
  EXPECT_EQ(shown_metric(requests("/b", "none")), 1);
  EXPECT_EQ(shown_metric(R"(dropscore_http_aborted_total{path="/a"})"), 0);
  EXPECT_EQ(shown_metric(R"(dropscore_http_aborted_total{path="/b"})"), 1);
  EXPECT_EQ(shown_metric(R"(dropscore_http_received_body_bytes_total{path="/a"})"), 30);
  EXPECT_EQ(shown_metric(R"(dropscore_http_sent_bytes_total{path="/a"})"), 300);
  EXPECT_EQ(shown_metric(R"(dropscore_http_request_duration_seconds_bucket{path="/a",le="0.00025"})"), 1);
  EXPECT_EQ(shown_metric(R"(dropscore_http_request_duration_seconds_count{path="/a"})"), 3);
  EXPECT_EQ(shown_metric(R"(dropscore_http_request_duration_seconds_bucket{path="/b",le="30"})"), 0);
  EXPECT_EQ(shown_metric(R"(dropscore_rows_scored_total{source="api"})"), 7);
  counts.add(answered("/a", 200), 0.0002);
  counts.flush();
  EXPECT_EQ(shown_metric(requests("/a", "200")), 3);
}

TEST(RequestLog, KeepsNothingWhereNothingIsWanted) {
  {
    RequestLog quiet(false);
    quiet.add(answered("/quiet", 200));
    RequestLog log(true);
    log.add(answered("/loud", 200));
  }
  EXPECT_EQ(shown_metric(requests("/quiet", "200")), -1);
  EXPECT_EQ(shown_metric(requests("/loud", "200")), 1);
}

TEST(ServerMetrics, ConnectionsAndThoseTurnedAway) {
  ServerOptions options;
  options.port = 0;
  options.max_connections = 1;
  options.refusal_pause_ms = 0;
  const auto server = Server::start(tiny_scorer, options);
  ASSERT_TRUE(server);
  EXPECT_EQ(shown_metric(R"(dropscore_http_turned_away_total{reason="connections"})"), 0);
  TestClient first((*server)->port());
  EXPECT_EQ(first.ask("GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(shown_metric("dropscore_http_connections"), 1);
  TestClient second((*server)->port());
  EXPECT_EQ(second.ask("GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status, 503);
  EXPECT_EQ(shown_metric(R"(dropscore_http_turned_away_total{reason="connections"})"), 1);
}

}  // namespace
}  // namespace dropscore::http
