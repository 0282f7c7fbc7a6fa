#include "features/encoder.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::features {
namespace {

using table::RowFault;
using testing::ElementsAre;
using testing::HasSubstr;

schema::Schema two_features() {
  schema::Schema schema;
  schema::Feature age;
  age.name = "Age";
  schema::Feature channel;
  channel.name = "Channel";
  channel.kind = schema::Kind::categorical;
  channel.categories = {"Email", "PPC", "SEO"};
  schema.features = {age, channel};
  return schema;
}

/// Encodes a whole small file, single precision.
struct Encoded {
  Matrix<float> matrix;
  std::vector<std::uint32_t> scored;
  std::vector<RowFault> faults;
  table::RowErrors errors;
};

Encoded encode(const schema::Schema& schema, std::string_view text) {
  table::CsvReader reader;
  std::span<char> room = reader.room();
  text.copy(room.data(), room.size());
  reader.commit(text.size());
  reader.finish();
  table::Batch batch;
  EXPECT_EQ(*reader.next(batch), table::CsvReader::Step::batch);
  const auto encoder = RowEncoder::bind(schema, reader.header(), reader.dialect().decimal_comma);
  EXPECT_TRUE(encoder);
  Encoded out;
  out.matrix.resize(batch.rows.size(), schema.size());
  for (std::uint32_t i = 0; i < batch.rows.size(); ++i) {
    out.faults.push_back(encoder->encode(batch, batch.rows[i], out.matrix.row(out.scored.size()), out.errors));
    if (out.faults.back() == RowFault::none) out.scored.push_back(i);
  }
  out.matrix.resize(out.scored.size(), schema.size());
  return out;
}

TEST(RowEncoder, MatchesColumnsByNameWhateverTheirOrder) {
  const schema::Schema schema = two_features();
  const Encoded out = encode(schema, "Note,Channel,Age\nhello, SEO ,30\nx,Email, 41.5\n");
  ASSERT_EQ(out.matrix.rows(), 2U);
  EXPECT_THAT(out.matrix.row(0), ElementsAre(30.0F, 2.0F));
  EXPECT_THAT(out.matrix.row(1), ElementsAre(41.5F, 0.0F));
}

TEST(RowEncoder, KeepsGoodRowsAndNamesBadOnes) {
  const schema::Schema schema = two_features();
  const Encoded out =
      encode(schema, "Age,Channel\n1,SEO\nold,SEO\n,SEO\n2,Pigeon\n3\n4,PPC\n1e999,PPC\n0x1F,PPC\nNaN,PPC\n");
  EXPECT_THAT(out.scored, ElementsAre(0, 5));
  ASSERT_EQ(out.errors.total(), 7U);
  const auto expect = [&](std::size_t i, std::uint64_t row, const char* column, const char* value, RowFault fault) {
    const table::RowError& error = out.errors.listed()[i];
    EXPECT_EQ(error.row, row);
    EXPECT_EQ(error.column, column);
    EXPECT_EQ(error.value, value);
    EXPECT_EQ(error.fault, fault) << table::reason(error.fault);
  };
  expect(0, 3, "Age", "old", RowFault::not_a_number);
  expect(1, 4, "Age", "", RowFault::empty_cell);
  expect(2, 5, "Channel", "Pigeon", RowFault::unknown_category);
  expect(3, 6, "Channel", "", RowFault::too_few_cells);
  expect(4, 8, "Age", "1e999", RowFault::number_too_large);
  expect(5, 9, "Age", "0x1F", RowFault::hexadecimal);
  expect(6, 10, "Age", "NaN", RowFault::empty_cell);
}

TEST(RowEncoder, ANumberOverSinglePrecisionIsRefusedNotMadeInfinite) {
  const schema::Schema schema = two_features();
  const Encoded out = encode(schema, "Age,Channel\n1e300,SEO\n");
  ASSERT_EQ(out.errors.total(), 1U);
  EXPECT_EQ(out.errors.listed()[0].fault, RowFault::number_too_large);
}

TEST(RowEncoder, MissingAndUnknownFollowTheSchema) {
  schema::Schema schema = two_features();
  schema.features[0].missing_allowed = true;
  schema.unknown = schema::UnknownRule::code;
  const Encoded out = encode(schema, "Age,Channel\nNA,Pigeon\n");
  ASSERT_EQ(out.matrix.rows(), 1U);
  EXPECT_TRUE(std::isnan(out.matrix(0, 0)));
  EXPECT_EQ(out.matrix(0, 1), static_cast<float>(schema::unknown_category_code));
}

TEST(RowEncoder, ACategoryNamedNullIsACategory) {
  schema::Schema schema = two_features();
  schema.features[1].categories = {"NA", "SEO"};
  const Encoded out = encode(schema, "Age,Channel\n1,NA\n");
  ASSERT_EQ(out.matrix.rows(), 1U);
  EXPECT_EQ(out.matrix(0, 1), 0.0F);
}

TEST(BindColumns, NamesTheMissingColumnAndTheNearest) {
  const schema::Schema schema = two_features();
  const std::vector<std::string> header = {"age", "Channel"};
  const auto bound = bind_columns(schema, header);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, ErrorKind::reject);
  EXPECT_THAT(bound.error().customer.text, HasSubstr("\"Age\" is missing"));
  EXPECT_THAT(bound.error().customer.text, HasSubstr("\"age\""));
  const std::vector<std::string> twice = {"Age", "Channel", "Age"};
  EXPECT_THAT(bind_columns(schema, twice).error().customer.text, HasSubstr("stands twice"));
}

TEST(BindColumns, NamesEveryMissingColumn) {
  const std::vector<std::string> header = {"age", "x"};
  const auto bound = bind_columns(two_features(), header);
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().customer.text,
              HasSubstr("the columns \"Age\" and \"Channel\" are missing; the model needs them"));
  EXPECT_THAT(bound.error().customer.text, HasSubstr("nearest column to \"Age\" in the file is \"age\""));
}

TEST(Counted, NamesTheFirstTwenty) {
  std::vector<std::string> names = {"A"};
  EXPECT_EQ(counted("field", names), "the field \"A\" is");
  names.push_back("B");
  names.push_back("C");
  EXPECT_EQ(counted("field", names), "the fields \"A\", \"B\" and \"C\" are");
  names.assign(22, "D");
  EXPECT_THAT(counted("column", names), testing::EndsWith("\"D\", \"D\" and 2 more are"));
  EXPECT_EQ(std::ranges::count(counted("column", names), 'D'), 20);
}

}  // namespace
}  // namespace dropscore::features
