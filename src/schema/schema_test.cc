#include "schema/schema.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_reader.h"
#include "base/text_source.h"
#include "schema/fit.h"

namespace dropscore::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

table::Frame frame_of(std::string text) {
  TextSource source(std::move(text));
  table::RowErrors errors;
  auto frame = table::Frame::read(source, errors);
  EXPECT_TRUE(frame);
  EXPECT_EQ(errors.total(), 0U);
  return std::move(*frame);
}

std::vector<std::size_t> all_rows(const table::Frame& frame) {
  std::vector<std::size_t> rows(frame.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

Result<Schema> fit_all(const table::Frame& frame, const FitOptions& options = {}) {
  return fit(frame, all_rows(frame), Target{options.target, "0", "1"}, options);
}

std::vector<std::string> names(const Schema& schema) {
  std::vector<std::string> out;
  for (const Feature& feature : schema.features) out.push_back(feature.name);
  return out;
}

constexpr const char* customers =
    "Id,Token,Platform,Age,Channel,Income,Conversion\n"
    "100,aa,Ads,30,SEO,50000,1\n"
    "101,ab,Ads,41,Email,NA,0\n"
    "102,ac,Ads,30,PPC,70000,1\n"
    "103,ad,Ads,52,Email,90000,1\n";

TEST(SchemaFit, DropsConstantsAndIdentifiersByRuleNotByName) {
  const table::Frame frame = frame_of(customers);
  const auto schema = fit_all(frame);
  ASSERT_TRUE(schema);
  EXPECT_THAT(names(*schema), ElementsAre("Age", "Channel", "Income"));
  ASSERT_EQ(schema->dropped.size(), 3U);
  EXPECT_EQ(schema->dropped[0].name, "Id");
  EXPECT_EQ(schema->dropped[0].why, "identifier");
  EXPECT_EQ(schema->dropped[1].name, "Token");
  EXPECT_EQ(schema->dropped[1].why, "identifier");
  EXPECT_EQ(schema->dropped[2].name, "Platform");
  EXPECT_EQ(schema->dropped[2].why, "constant");
}

TEST(SchemaFit, DistinctNumbersThatLieFarApartAreNoIdentifier) {
  const table::Frame frame = frame_of("Income,Age,Conversion\n10,1,1\n500,1,0\n90000,2,1\n");
  EXPECT_THAT(names(*fit_all(frame)), ElementsAre("Income", "Age"));
}

TEST(SchemaFit, KeepAndDropOverrideTheRules) {
  const table::Frame frame = frame_of(customers);
  FitOptions options;
  options.keep = {"Id", "Platform"};
  options.drop = {"Age"};
  EXPECT_THAT(names(*fit_all(frame, options)), ElementsAre("Id", "Platform", "Channel", "Income"));
  options.drop = {"Agee"};
  const auto failed = fit_all(frame, options);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().customer.text, HasSubstr("the nearest is \"Age\""));
}

TEST(SchemaFit, LearnsKindsDictionariesRangesAndMissingValues) {
  const table::Frame frame = frame_of(customers);
  const auto schema = fit_all(frame);
  const Feature& age = schema->features[0];
  EXPECT_EQ(age.kind, Kind::numeric);
  EXPECT_EQ(age.minimum, 30);
  EXPECT_EQ(age.maximum, 52);
  EXPECT_EQ(age.fill, 35.5);
  EXPECT_FALSE(age.missing_allowed);
  const Feature& channel = schema->features[1];
  EXPECT_EQ(channel.kind, Kind::categorical);
  EXPECT_THAT(channel.categories, ElementsAre("Email", "PPC", "SEO"));
  EXPECT_EQ(channel.fill, 0) << "Email is the most frequent";
  EXPECT_EQ(channel.code("PPC"), 1U);
  EXPECT_EQ(channel.code("Pigeon"), std::nullopt);
  EXPECT_TRUE(schema->features[2].missing_allowed);
}

TEST(SchemaFit, LooksAtTrainingRowsOnly) {
  const table::Frame frame = frame_of(customers);
  const std::vector<std::size_t> rows = {0, 1, 2};
  const auto schema = fit(frame, rows, Target{"Conversion", "0", "1"}, {});
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->features[0].maximum, 41);
}

TEST(SchemaFit, ADuplicateColumnIsRefused) {
  const auto failed = fit_all(frame_of("Age,Age,Conversion\n1,2,0\n3,4,1\n"));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().customer.text, HasSubstr("\"Age\" stands twice"));
}

TEST(ReadLabels, TakesWordsAndNumbers) {
  for (const char* text :
       {"Conversion\n1\n0\n", "Conversion\nyes\nNO\n", "Conversion\nTrue\nfalse\n", "Conversion\n1.0\n0.0\n"}) {
    const auto labels = read_labels(frame_of(text), "Conversion");
    ASSERT_TRUE(labels) << text;
    EXPECT_THAT(labels->values, ElementsAre(1, 0));
  }
}

TEST(ReadLabels, SaysWhatIsWrongAndWhere) {
  const auto unknown = read_labels(frame_of("Conversion\n1\nmaybe\n"), "Conversion");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().customer.text, HasSubstr("line 3"));
  const auto one_class = read_labels(frame_of("Conversion\n1\n1\n"), "Conversion");
  ASSERT_FALSE(one_class);
  EXPECT_THAT(one_class.error().customer.text, HasSubstr("the same"));
  const auto absent = read_labels(frame_of("Conversions\n1\n0\n"), "Conversion");
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().customer.text, HasSubstr("the nearest is \"Conversions\""));
}

TEST(SchemaDocument, ReadsBackAndWritesTheSame) {
  const table::Frame frame = frame_of(customers);
  const auto schema = fit_all(frame);
  std::string text;
  JsonWriter json(text);
  write(json, *schema);
  simdjson::dom::parser parser;
  const auto read = read_schema(JsonReader(parser.parse(text).value()));
  ASSERT_TRUE(read) << read.error().detail.text;
  std::string again;
  JsonWriter json_again(again);
  write(json_again, *read);
  EXPECT_EQ(again, text);
}

TEST(SchemaDocument, RefusesWhatItDoesNotKnow) {
  simdjson::dom::parser parser;
  const std::string text =
      R"({"target":{"column":"y","negative":"0","positive":"1"},"unknown_categories":"reject","features":[{"name":"a",)"
      R"("kind":"numeric","minimum":0,"maximum":1,"missing_allowed":false,"fill":0,"surprise":1}],"dropped":[]})";
  const auto read = read_schema(JsonReader(parser.parse(text).value()));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail.text, HasSubstr("$.features[0]: member \"surprise\" is not known"));
}

}  // namespace
}  // namespace dropscore::schema
