#include "result/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace dropscore::result {
namespace {

constexpr model::Score yes{0.75, true};
constexpr model::Score no{0.25, false};

constexpr model::DecisionRule from_two_fifths{model::DecisionRule::Kind::probability, 0.4};

std::string answer(const std::vector<model::Score>& scores, const table::RowErrors& errors,
                   const model::DecisionRule& decision = from_two_fifths) {
  JsonAnswer json("abc", decision);
  Summary summary;
  summary.rejected_records = errors.total();
  std::string out;
  JsonAnswer::begin(out);
  std::string rows;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    TextRoom room(rows);
    JsonAnswer::add(room, i, scores[i]);
    summary.add(scores[i]);
  }
  out.append(rows, JsonAnswer::separator_bytes);
  json.end(out, summary, errors);
  return out;
}

TEST(JsonAnswer, HasTheOriginalsKeysAndOurs) {
  EXPECT_EQ(
      answer({yes, no}, table::RowErrors()),
      "{\"success\":true,\"predictions\":[\n"
      "{\"record_id\":0,\"prediction\":1,\"prediction_label\":\"Will Convert\",\"probability_conversion\":0.75,"
      "\"confidence\":0.75},\n"
      "{\"record_id\":1,\"prediction\":0,\"prediction_label\":\"Will Not Convert\",\"probability_conversion\":0.25,"
      "\"confidence\":0.75}\n"
      "],\"summary\":{\"total_records\":2,\"predicted_conversions\":1,\"conversion_rate\":0.5,"
      "\"rejected_records\":0,\"threshold\":0.4},\"model_version\":\"abc\"}");
}

TEST(JsonAnswer, NamesNoThresholdWhereTheSignOfTheDecisionDecides) {
  const std::string original = answer({yes}, table::RowErrors(), {model::DecisionRule::Kind::sign, 0.5});
  EXPECT_THAT(original, ::testing::EndsWith("\"rejected_records\":0},\"model_version\":\"abc\"}"));
}

TEST(JsonAnswer, ListsErrorsAndCountsWhatItLeavesOut) {
  table::RowErrors errors(1);
  errors.add(7, "Age", "old", table::RowFault::not_a_number);
  errors.add(9, "", "", table::RowFault::row_too_long);
  simdjson::dom::parser parser;
  const auto document = parser.parse(answer({yes}, errors)).value();
  EXPECT_EQ(document["errors"].get_array().size(), 1U);
  const auto first = document["errors"].at(0).value();
  EXPECT_EQ(first["row"].get_uint64().value(), 7U);
  EXPECT_EQ(first["column"].get_string().value(), "Age");
  EXPECT_EQ(first["value"].get_string().value(), "old");
  EXPECT_EQ(first["reason"].get_string().value(), table::reason(table::RowFault::not_a_number));
  EXPECT_TRUE(document["errors_truncated"].get_bool().value());
  EXPECT_EQ(document["errors_by_reason"][table::reason(table::RowFault::row_too_long)].get_uint64().value(), 1U);
  EXPECT_EQ(document["summary"]["rejected_records"].get_uint64().value(), 2U);
}

/// Scores every good row of a file alike.
std::string scored_csv(std::string_view text) {
  table::CsvReader reader;
  text.copy(reader.room().data(), text.size());
  reader.commit(text.size());
  reader.finish();
  table::Batch batch;
  EXPECT_EQ(*reader.next(batch), table::CsvReader::Step::batch);
  CsvAnswer csv(reader.dialect(), reader.header().size());
  std::string out;
  csv.begin(out, reader.raw_header());
  for (const table::Row& row : batch.rows) {
    TextRoom room(out);
    if (row.fault == table::RowFault::none) {
      csv.add(room, row.raw, yes);
    } else {
      csv.add_rejected(room, batch, row, row.fault);
    }
  }
  return out;
}

TEST(CsvAnswer, KeepsEveryInputColumnAsItStood) {
  EXPECT_EQ(scored_csv("a,b\n1,\"x,\"\"y\"\"\"\n"),
            "a,b,prediction,prediction_label,probability_conversion,confidence,row_status\n"
            "1,\"x,\"\"y\"\"\",1,Will Convert,0.75,0.75,ok\n");
}

TEST(CsvAnswer, SpeaksTheInputsDialect) {
  EXPECT_EQ(scored_csv("\xEF\xBB\xBF"
                       "a;b\r\n1,5;x\r\n"),
            "\xEF\xBB\xBF"
            "a;b;prediction;prediction_label;probability_conversion;confidence;row_status\r\n"
            "1,5;x;1;Will Convert;0,75;0,75;ok\r\n");
}

TEST(CsvAnswer, RejectedRowsStayAtTheHeadersWidthWithEmptyScores) {
  const std::string reason_few(table::reason(table::RowFault::too_few_cells));
  const std::string reason_many(table::reason(table::RowFault::too_many_cells));
  EXPECT_EQ(scored_csv("a,b\n1\n1,2,3\n"),
            "a,b,prediction,prediction_label,probability_conversion,confidence,row_status\n"
            "1,,,,,," +
                reason_few + "\n1,2,,,,," + reason_many + "\n");
}

TEST(Documents, SuccessAndErrorKeepTheOriginalsKeys) {
  simdjson::dom::parser parser;
  const std::string success =
      success_document_begin("input-data/a \"b\".csv") + answer({yes}, table::RowErrors()) + success_document_end("e1");
  const auto good = parser.parse(success).value();
  EXPECT_EQ(good["blob_name"].get_string().value(), "input-data/a \"b\".csv");
  EXPECT_EQ(good["processing_status"].get_string().value(), "success");
  EXPECT_TRUE(good["predictions"]["success"].get_bool().value());
  EXPECT_EQ(good["input_etag"].get_string().value(), "e1");
  const std::string failed = error_document("input-data/a.csv", "no rows", {}, "e1");
  const auto bad = parser.parse(failed).value();
  EXPECT_EQ(bad["processing_status"].get_string().value(), "error");
  EXPECT_EQ(bad["error"].get_string().value(), "no rows");
}

}  // namespace
}  // namespace dropscore::result
