#include "job/row_metrics.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/scorer.h"
#include "telemetry/metrics.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;

std::uint64_t rejected(const ScoreCounts& counts, table::RowFault fault) {
  return counts.rejected_by[static_cast<std::size_t>(fault)];
}

TEST(RowMetrics, CountByReason) {
  ScoreCounts counts;
  counts.scored = 7;
  counts.rejected = 5;
  counts.rejected_by[static_cast<std::size_t>(table::RowFault::hexadecimal)] = 3;
  count_rows("test", counts);
  count_rows("test", counts);
  const std::string text = telemetry::scrape();
  EXPECT_THAT(text, HasSubstr("dropscore_rows_scored_total{source=\"test\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("dropscore_rows_rejected_total{reason=\"hexadecimal\",source=\"test\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("dropscore_rows_rejected_total{reason=\"not_told\",source=\"test\"} 4\n"));
}

TEST(RowMetrics, EveryReasonIsShownFromTheBeginning) {
  expose_rows("begin");
  const std::string text = telemetry::scrape();
  EXPECT_THAT(text, HasSubstr("{reason=\"too_few_cells\",source=\"begin\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("{reason=\"not_a_record\",source=\"begin\"} 0\n"));
}

TEST(ScoreCounts, OfJsonSayWhyRowsWereRefused) {
  const Scorer scorer(testing::tiny_model());
  std::string out;
  const auto some =
      scorer.score_json(R"([{"Age":50,"Channel":"SEO"},{"Age":"x","Channel":"SEO"},{"Channel":"SEO"},7])", {}, out);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->scored, 1U);
  EXPECT_EQ(some->rejected, 3U);
  EXPECT_EQ(rejected(*some, table::RowFault::not_a_number), 1U);
  EXPECT_EQ(rejected(*some, table::RowFault::missing_field), 1U);
  EXPECT_EQ(rejected(*some, table::RowFault::not_a_record), 1U);
  out.clear();
  const auto none = scorer.score_json(R"({"Age":50,"Channel":"TV"})", {}, out);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().counts.scored, 0U);
  EXPECT_EQ(rejected(none.error().counts, table::RowFault::unknown_category), 1U);
}

TEST(ScoreCounts, OfCsvSayWhyRowsWereRefused) {
  const Scorer scorer(testing::tiny_model());
  std::string out;
  const auto some = scorer.score_json(R"({"csv_data":"Age,Channel\n50,SEO\n0x1,SEO\n50\n"})", {}, out);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->scored, 1U);
  EXPECT_EQ(rejected(*some, table::RowFault::hexadecimal), 1U);
  EXPECT_EQ(rejected(*some, table::RowFault::too_few_cells), 1U);
}

}  // namespace
}  // namespace dropscore::job
