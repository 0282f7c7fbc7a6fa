#include "table/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/csv_test_util.h"

namespace dropscore::table {
namespace {

/// What is handed out for a text that comes whole: the size of each segment, 0 for a batch.
std::vector<std::size_t> pieces(std::string_view text, const CsvOptions& options = {}) {
  CsvReader reader(options);
  text.copy(reader.room().data(), text.size());
  reader.commit(text.size());
  reader.finish();
  Batch batch;
  Segment segment;
  std::vector<std::size_t> out;
  for (;;) {
    const auto step = reader.next(batch, segment);
    if (!step || *step == CsvReader::Step::end) return out;
    out.push_back(*step == CsvReader::Step::segment ? segment.text.size() : 0);
  }
}

using ::testing::ElementsAre;

TEST(Segment, HoldsWholeLines) {
  EXPECT_THAT(pieces("a,b\n1,2\n3,4\n"), ElementsAre(8));
  EXPECT_THAT(pieces("a,b\n1,2\n3,4"), ElementsAre(4, 0)) << "a last line without its end comes as a row";
  EXPECT_THAT(pieces("a,b\n1\n\n1,2,3\nx,\n"), ElementsAre(12)) << "faults of one line are the line's own";
}

TEST(Segment, HoldsQuotedCellsThatAreClosed) {
  EXPECT_THAT(pieces("a,b\n1,2\n\"x\ny\",\"2\"\n5,6\n"), ElementsAre(18));
  EXPECT_THAT(pieces("a,b\n1,2\n\"x\ny,2\n"), ElementsAre(4, 0));
}

TEST(Segment, EndsBeforeTheRecordThatDecidesTheEncoding) {
  EXPECT_THAT(pieces("a,b\n1,2\nMalm\xF6,2\n5,6\n"), ElementsAre(4, 0));
  EXPECT_THAT(pieces("\xEF\xBB\xBF"
                     "a,b\n1,2\nMalm\xC3\xB6,2\n5,6\n"),
              ElementsAre(17));
}

TEST(Segment, KeptTextOutlivesTheReader) {
  CsvReader reader;
  const std::string text = "a,b\n1,2\n3,4\n5";
  text.copy(reader.room().data(), text.size());
  reader.commit(text.size());
  Batch batch;
  Segment segment;
  ASSERT_EQ(*reader.next(batch, segment), CsvReader::Step::segment);
  TextBlock block;
  reader.keep(segment, block);
  const std::string more = ",6\n";
  more.copy(reader.room().data(), more.size());
  reader.commit(more.size());
  Segment after;
  ASSERT_EQ(*reader.next(batch, after), CsvReader::Step::segment);
  EXPECT_EQ(segment.text, "1,2\n3,4\n");
  EXPECT_EQ(after.text, "5,6\n");
  EXPECT_EQ(after.line, 4U);
  EXPECT_EQ(after.record, 2U);
}

}  // namespace
}  // namespace dropscore::table
