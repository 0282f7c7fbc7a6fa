#include "telemetry/metrics.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/process_stats.h"
#include "tests/support/shown_metric.h"

namespace dropscore::telemetry {
namespace {

using dropscore::testing::shown_metric;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricTable, NamesFollowTheConventions) {
  std::set<std::string_view> names;
  for (const Description& each : metric_table()) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(names.insert(each.name).second);
    EXPECT_TRUE(each.name.starts_with("dropscore_") || each.name.starts_with("process_"));
    EXPECT_EQ(each.type == Type::counter, each.name.ends_with("_total"));
    EXPECT_TRUE(each.help.ends_with(".")) << each.help;
    EXPECT_TRUE(std::ranges::is_sorted(each.buckets));
  }
}

TEST(Metrics, AddUp) {
  add(Metric::files, 1, {"scored"});
  add(Metric::files, 2, {"scored"});
  set(Metric::files_in_progress, 5);
  change(Metric::files_in_progress, -2);
  EXPECT_EQ(shown_metric(R"(dropscore_files_total{outcome="scored"})"), 3);
  EXPECT_EQ(shown_metric("dropscore_files_in_progress"), 3);
}

TEST(Metrics, AnObservationOnABoundBelongsBelowIt) {
  observe(Metric::sweep_duration, 0.25);
  observe(Metric::sweep_duration, 0.3);
  observe(Metric::sweep_duration, 1e9);
  EXPECT_EQ(shown_metric(R"(dropscore_sweep_duration_seconds_bucket{le="0.1"})"), 0);
  EXPECT_EQ(shown_metric(R"(dropscore_sweep_duration_seconds_bucket{le="0.25"})"), 1);
  EXPECT_EQ(shown_metric(R"(dropscore_sweep_duration_seconds_bucket{le="0.5"})"), 2);
  EXPECT_EQ(shown_metric(R"(dropscore_sweep_duration_seconds_bucket{le="+Inf"})"), 3);
  EXPECT_EQ(shown_metric("dropscore_sweep_duration_seconds_count"), 3);
}

TEST(Metrics, GatheredObservationsAreTheSame) {
  Observations gathered(Metric::event_to_result);
  for (const double seconds : {0.001, 0.25, 0.26, 5000.0}) gathered.observe(seconds);
  gathered.flush();
  gathered.flush();  // nothing is left
  for (const double seconds : {0.001, 0.25, 0.26, 5000.0}) observe(Metric::file_duration, seconds);
  for (const std::string rest : {R"(_bucket{le="0.005"})", R"(_bucket{le="0.25"})", R"(_bucket{le="1800"})",
                                 R"(_bucket{le="+Inf"})", "_sum", "_count"}) {
    EXPECT_EQ(shown_metric("dropscore_event_to_result_seconds" + rest),
              shown_metric("dropscore_file_duration_seconds" + rest))
        << rest;
  }
}

TEST(Metrics, APartIsShownFromTheBeginning) {
  EXPECT_EQ(shown_metric("dropscore_queue_messages_held"), -1);
  expose(Part::queue);
  EXPECT_EQ(shown_metric("dropscore_queue_messages_held"), 0);
  EXPECT_EQ(shown_metric("dropscore_queue_deliveries_lost_total"), 0);
}

TEST(Metrics, SeriesHaveAnEnd) {
  for (std::size_t i = 0; i < 2 * most_series; ++i) add(Metric::http_aborted, 1, {std::to_string(i)});
  add(Metric::http_aborted, 1, {"0"});  // known before
  EXPECT_EQ(shown_metric(R"(dropscore_http_aborted_total{path="0"})"), 2);
  EXPECT_EQ(shown_metric(R"(dropscore_http_aborted_total{path="other"})"), most_series);
  const std::string text = scrape();
  std::size_t series = 0;
  for (std::size_t at = 0; (at = text.find("\ndropscore_http_aborted_total{", at)) != std::string::npos; ++at) ++series;
  EXPECT_EQ(series, most_series + 1);
}

TEST(Metrics, ThereIsOneModelAtATime) {
  EXPECT_FALSE(has_model());
  model_loaded("v1", "svm");
  EXPECT_TRUE(has_model());
  EXPECT_EQ(shown_metric(R"(dropscore_model_info{kind="svm",version="v1"})"), 1);
  EXPECT_EQ(shown_metric("dropscore_model_reload_failures_total"), 0);
  EXPECT_EQ(shown_metric("dropscore_model_refresh_failures_total"), 0);
  model_loaded("v2", "boosted");
  model_loaded("v2", "boosted");
  model_reload_failed();
  model_refresh_failed();
  EXPECT_EQ(shown_metric(R"(dropscore_model_info{kind="svm",version="v1"})"), -1);
  EXPECT_EQ(shown_metric(R"(dropscore_model_info{kind="boosted",version="v2"})"), 1);
  EXPECT_EQ(shown_metric("dropscore_model_loads_total"), 3);
  EXPECT_EQ(shown_metric("dropscore_model_reload_failures_total"), 1);
  EXPECT_EQ(shown_metric("dropscore_model_refresh_failures_total"), 1);
  EXPECT_GT(shown_metric("dropscore_model_load_timestamp_seconds"), 1.6e9);
}

TEST(Metrics, WhatIsReadOnAScrapeIsReadAsLongAsItLives) {
  int reads = 0;
  {
    const OnScrape reader([&reads] { set(Metric::http_connections, ++reads); });
    EXPECT_EQ(shown_metric("dropscore_http_connections"), 1);
    EXPECT_EQ(shown_metric("dropscore_http_connections"), 2);
  }
  scrape();
  EXPECT_EQ(reads, 2);
}

TEST(Metrics, NoCountIsLostAmongThreads) {
  std::atomic<bool> ended = false;
  std::thread scraper([&ended] {
    while (!ended) scrape();
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < 1000; ++n) add(Metric::retries, 1, {"blob", n % 2 == 0 ? "GET" : "PUT"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  ended = true;
  scraper.join();
  EXPECT_EQ(shown_metric(R"(dropscore_retries_total{operation="GET",service="blob"})"), 2000);
}

TEST(ProcessStats, AreThoseOfThisProcess) {
  const ProcessStats before = process_stats();
  std::vector<char> memory(64 << 20U, 'x');
  volatile double spent = 0;
  while (process_stats().cpu_seconds < before.cpu_seconds + 0.05) spent = spent + 1;
  const ProcessStats after = process_stats();
  EXPECT_GT(after.resident_bytes, before.resident_bytes + 60e6) << memory[1];
  EXPECT_GE(after.threads, 1);
  EXPECT_GE(after.open_files, 3);
  EXPECT_GT(after.max_files, after.open_files);
  EXPECT_GT(after.start_time_seconds, 1.6e9);
  EXPECT_EQ(after.start_time_seconds, before.start_time_seconds);
  EXPECT_GT(after.memory_limit_bytes, after.resident_bytes);
}

TEST(Scrape, IsWrittenAsPrometheusReadsIt) {
  expose(Part::process);
  const std::string text = scrape();
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("# HELP process_cpu_seconds_total "), HasSubstr("# TYPE process_cpu_seconds_total counter\n"),
            HasSubstr("# TYPE process_resident_memory_bytes gauge\n"), Not(HasSubstr("dropscore_poison_total"))));
  EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace dropscore::telemetry
