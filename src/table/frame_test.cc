#include "table/frame.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::table {
namespace {

using ::testing::ElementsAre;

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (fails_after_ < at_) return fail(ErrorKind::try_later, "the line is down");
    const std::size_t count = std::min({out.size(), text_.size() - at_, std::size_t{7}});
    std::copy_n(text_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }
  void fail_after(std::size_t bytes) { fails_after_ = bytes; }

 private:
  std::string text_;
  std::size_t at_ = 0;
  std::size_t fails_after_ = std::string::npos;
};

TEST(Frame, HoldsColumnsAndLeavesBadRowsOut) {
  TextSource source(
      "Age;City ;Note\n 34 ; Oslo;\"two\nlines\"\nshort;row\n\n40;\xC2\xA0"
      "Bergen;\"say \"\"hi\"\"\"\n1;2;3;4\n");
  RowErrors errors;
  const Result<Frame> frame = Frame::read(source, errors);
  ASSERT_TRUE(frame);
  EXPECT_THAT(frame->names(), ElementsAre("Age", "City", "Note"));
  EXPECT_EQ(frame->rows(), 2U);
  EXPECT_EQ(frame->columns(), 3U);
  EXPECT_TRUE(frame->decimal_comma());
  EXPECT_THAT(frame->column(0), ElementsAre("34", "40"));
  EXPECT_THAT(frame->column(1), ElementsAre("Oslo", "Bergen"));
  EXPECT_EQ(frame->cell(0, 2), "two\nlines");
  EXPECT_EQ(frame->cell(1, 2), "say \"hi\"");
  EXPECT_THAT(frame->lines(), ElementsAre(2U, 6U));
  ASSERT_EQ(errors.total(), 2U);
  EXPECT_EQ(errors.listed()[0].row, 4U);
  EXPECT_EQ(errors.listed()[0].column, "Note");
  EXPECT_EQ(errors.listed()[0].fault, RowFault::too_few_cells);
  EXPECT_EQ(errors.listed()[1].row, 7U);
  EXPECT_EQ(errors.listed()[1].column, "");
  EXPECT_EQ(errors.listed()[1].value, "4");
}

TEST(Frame, KeepsTextOfAnyLength) {
  std::string text = "a,b\n";
  const std::string large(700'000, 'x');
  for (int i = 0; i < 5; ++i) text += large + "," + std::to_string(i) + "\n";
  TextSource source(text);
  RowErrors errors;
  const Result<Frame> frame = Frame::read(source, errors);
  ASSERT_TRUE(frame);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(frame->cell(i, 0), large);
    EXPECT_EQ(frame->cell(i, 1), std::to_string(i));
  }
}

TEST(Frame, OfAHeaderAlone) {
  TextSource source("a,b\n");
  RowErrors errors;
  const Result<Frame> frame = Frame::read(source, errors);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->rows(), 0U);
  EXPECT_TRUE(frame->column(1).empty());
}

TEST(Frame, PassesErrorsOn) {
  RowErrors errors;
  TextSource empty("");
  EXPECT_EQ(Frame::read(empty, errors).error().kind, ErrorKind::reject);
  TextSource broken("a,b\n1,2\n3,4\n5,6\n");
  broken.fail_after(7);
  EXPECT_EQ(Frame::read(broken, errors).error().kind, ErrorKind::try_later);
  TextSource fine("a\n1\n");
  EXPECT_EQ(Frame::read(fine, errors, {.max_row_bytes = 0}).error().kind, ErrorKind::misuse);
}

}  // namespace
}  // namespace dropscore::table
