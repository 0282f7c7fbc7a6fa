#include "job/scorer.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/json_writer.h"
#include "tests/support/tiny_model.h"

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;

class ScorerTest : public ::testing::Test {
 protected:
  simdjson::dom::element score(std::string_view body) {
    std::string text;
    const auto answer = scorer_.score_json(body, {}, text);
    EXPECT_TRUE(answer) << answer.error().error.customer.text;
    return parser_.parse(text).value();
  }
  Refusal refusal(std::string_view body) {
    std::string text;
    const auto answer = scorer_.score_json(body, {}, text);
    EXPECT_FALSE(answer);
    return answer ? Refusal{} : answer.error();
  }

  simdjson::dom::parser parser_;
  Scorer scorer_{dropscore::testing::tiny_model()};
};

std::string csv_body(std::string_view csv) {
  std::string out = R"({"csv_data":)";
  append_json_string(out, csv);
  return out + "}";
}

TEST_F(ScorerTest, HealthHasTheOriginalsKeys) {
  const auto health = parser_.parse(scorer_.health_json()).value();
  EXPECT_EQ(health["status"].get_string().value(), "healthy");
  EXPECT_EQ(health["model"].get_string().value(), "SVM");
  EXPECT_EQ(health["features"].get_uint64().value(), 2U);
}

TEST_F(ScorerTest, OneRecord) {
  const auto answer = score(R"({"Age": 50, "Channel": "SEO", "Extra": [1]})");
  EXPECT_TRUE(answer["success"].get_bool().value());
  const auto first = answer["predictions"].at(0).value();
  EXPECT_EQ(first["record_id"].get_uint64().value(), 0U);
  EXPECT_EQ(first["prediction"].get_uint64().value(), 1U);
  EXPECT_EQ(first["prediction_label"].get_string().value(), "Will Convert");
  EXPECT_NEAR(first["probability_conversion"].get_double().value(), 1 / (1 + std::exp(-1.0)), 1e-12);
  EXPECT_EQ(answer["summary"]["total_records"].get_uint64().value(), 1U);
}

TEST_F(ScorerTest, ListsKeepGoodRecordsAndCountRejectedOnes) {
  const auto answer = score(R"([{"Age":"30","Channel":"SEO"}, {"Age":true,"Channel":"SEO"}, 7, {"Channel":"SEO"},
                               {"Age":null,"Channel":"SEO"}, {"Age":1,"Channel":"Pigeon"}, {"Age":41,"Channel":"PPC"}])");
  EXPECT_EQ(answer["predictions"].get_array().size(), 2U);
  EXPECT_EQ(answer["predictions"].at(1)["record_id"].get_uint64().value(), 6U) << "rejected records are counted";
  const auto errors = answer["errors"].get_array().value();
  ASSERT_EQ(errors.size(), 5U);
  EXPECT_EQ(errors.at(0)["row"].get_uint64().value(), 1U);
  EXPECT_EQ(errors.at(0)["column"].get_string().value(), "Age");
  EXPECT_EQ(errors.at(0)["value"].get_string().value(), "true");
  EXPECT_TRUE(errors.at(1)["column"].is_null());
  EXPECT_EQ(errors.at(2)["reason"].get_string().value(), table::reason(table::RowFault::missing_field));
  EXPECT_EQ(errors.at(3)["reason"].get_string().value(), table::reason(table::RowFault::empty_cell));
  EXPECT_EQ(errors.at(4)["value"].get_string().value(), "Pigeon");
  EXPECT_EQ(answer["summary"]["rejected_records"].get_uint64().value(), 5U);
}

TEST_F(ScorerTest, CsvDataIsReadAsAFileIs) {
  const auto answer = score(csv_body("Age,Channel\n50,SEO\nold,SEO\n30,PPC\n"));
  EXPECT_EQ(answer["predictions"].get_array().size(), 2U);
  EXPECT_EQ(answer["errors"].at(0)["row"].get_uint64().value(), 3U) << "the physical line, the header being 1";
  EXPECT_EQ(answer["predictions"].at(1)["record_id"].get_uint64().value(), 2U);
}

TEST_F(ScorerTest, TellsMalformedFromUnscorable) {
  for (const char* body : {"", "{", "7", "\"text\"", "[1,"}) EXPECT_TRUE(refusal(body).malformed) << body;
  for (const char* body : {"[]", "{}", R"({"Age":"x","Channel":"SEO"})", R"([{"Age":1}])"}) {
    EXPECT_FALSE(refusal(body).malformed) << body;
  }
  EXPECT_THAT(refusal(R"({"Age":"x","Channel":"SEO"})").rejections_json, HasSubstr(R"("column":"Age","value":"x")"));
  EXPECT_THAT(refusal(csv_body("Age;Chanel\n1;SEO\n")).error.customer.text, HasSubstr("\"Chanel\""));
  EXPECT_FALSE(refusal(csv_body("")).malformed);
}

TEST_F(ScorerTest, NamesEveryFieldThatIsMissing) {
  const auto said = [this](const char* body) { return refusal(body).error.customer.text; };
  EXPECT_EQ(said("{}"), "the fields \"Age\" and \"Channel\" are missing; the model needs them");
  EXPECT_EQ(said(R"([{"x":1}, {"Channel":"SEO"}, 7])"), "the field \"Age\" is missing; the model needs it");
  EXPECT_THAT(said(R"([{"Age":1}, {"Channel":"SEO"}])"), HasSubstr("\"errors\" says why for each"));
  EXPECT_THAT(said("[7]"), HasSubstr("the record could not be scored"));
  EXPECT_THAT(said("[]"), HasSubstr("no record in the list"));
  EXPECT_THAT(said(csv_body("a,b\n1,2\n").c_str()), HasSubstr("the columns \"Age\" and \"Channel\" are missing"));
}

}  // namespace
}  // namespace dropscore::job
