#include "table/cells.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/json_writer.h"

namespace dropscore::table {
namespace {

double number(std::string_view cell, bool decimal_comma = false) {
  const ParsedNumber parsed = parse_number(cell, decimal_comma);
  EXPECT_EQ(parsed.fault, RowFault::none) << cell << ": " << reason(parsed.fault);
  return parsed.value;
}

RowFault fault(std::string_view cell, bool decimal_comma = false) { return parse_number(cell, decimal_comma).fault; }

TEST(Cells, TrimsSpacesTabsAndNoBreakSpaces) {
  EXPECT_EQ(trim(" \t\xC2\xA0 a b \xC2\xA0\t"), "a b");
  EXPECT_EQ(trim("\xC2\xA0"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\r\n"), "\r\n") << "line ends inside a cell are data";
}

TEST(Cells, MissingIsOneOfFourWords) {
  for (const char* cell : {"", "  ", "NA", "na", "NaN", "nan", "NAN", "null", "NULL", " Null\t", "\xC2\xA0"}) {
    EXPECT_TRUE(is_missing(cell)) << cell;
    EXPECT_EQ(fault(cell), RowFault::empty_cell) << cell;
  }
  for (const char* cell : {"N/A", "-", "none", "nil", "0", "nana", "?"}) EXPECT_FALSE(is_missing(cell)) << cell;
}

TEST(Cells, ReadsDecimalNumbers) {
  EXPECT_EQ(number("42"), 42);
  EXPECT_EQ(number(" +42 "), 42);
  EXPECT_EQ(number("-0.5"), -0.5);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("5."), 5);
  EXPECT_EQ(number("+.5"), 0.5);
  EXPECT_EQ(number("1e5"), 100000);
  EXPECT_EQ(number("1E+5"), 100000);
  EXPECT_EQ(number("25e-1"), 2.5);
  EXPECT_EQ(number("007"), 7);
  EXPECT_TRUE(std::signbit(number("-0")));
  EXPECT_EQ(number("9007199254740993"), 9007199254740992.0) << "ties to even";
  EXPECT_EQ(number("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(number("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(number("1e-400"), 0) << "underflow is zero";
  EXPECT_EQ(number("0e999999999999"), 0);
  EXPECT_EQ(number(std::string("0.").append(5000, '0').append("1e5001")), 1);
}

TEST(Cells, RefusesWhatIsNoDecimalNumber) {
  for (const char* cell : {"abc",     "1a",
                           "1 2",     "1,5",
                           "1.2.3",   "--1",
                           "+-1",     "-+1",
                           "+",       "-",
                           ".",       "e5",
                           "1e",      "1e+",
                           "1_000",   "1'000",
                           "$5",      "5%",
                           "N/A",     "-nan",
                           "+nan",    "nan(1)",
                           "0x",      "0xg",
                           "true",    "\xE2\x88\x92\x31",
                           "1\r",     "\"1\"",
                           "infinite"}) {
    EXPECT_EQ(fault(cell), RowFault::not_a_number) << cell;
  }
  EXPECT_EQ(fault(std::string_view("1\0", 2)), RowFault::not_a_number);
  for (const char* cell : {"0x1F", "-0X1f", "+0xA", "0x1.8p3"}) EXPECT_EQ(fault(cell), RowFault::hexadecimal) << cell;
  for (const char* cell : {"inf", "-Inf", "+INFINITY", "infinity"}) {
    EXPECT_EQ(fault(cell), RowFault::not_finite) << cell;
  }
  for (const char* cell : {"1e999", "-1e309", "1.7976931348623159e308", "1e99999999999999999999"}) {
    EXPECT_EQ(fault(cell), RowFault::number_too_large) << cell;
  }
  EXPECT_EQ(fault(std::string("1").append(400, '0')), RowFault::number_too_large);
}

TEST(Cells, DecimalCommaTakesEitherMarkButNotBoth) {
  EXPECT_EQ(number("3,14", true), 3.14);
  EXPECT_EQ(number("3.14", true), 3.14);
  EXPECT_EQ(number("-,5", true), -0.5);
  EXPECT_EQ(number("5,", true), 5);
  EXPECT_EQ(number("1,5e3", true), 1500);
  for (const char* cell : {"1.234,5", "1,234.5", "1,2,3", ",", "1,5,", "-,"}) {
    EXPECT_EQ(fault(cell, true), RowFault::not_a_number) << cell;
  }
  EXPECT_EQ(number(std::string("0,").append(2000, '3'), true), 1.0 / 3);
}

RC_GTEST_PROP(Cells, EveryDoubleReadsBack, (double value)) {
  RC_PRE(std::isfinite(value));
  std::string text;
  append_json_number(text, value);
  RC_ASSERT(parse_number(text, false).value == value);
  for (char& c : text) c = c == '.' ? ',' : c;
  RC_ASSERT(parse_number(text, true).value == value);
}

TEST(RowErrors, EveryFaultHasItsOwnSentence) {
  std::vector<std::string_view> sentences;
  for (std::size_t i = 1; i < row_fault_count; ++i) {
    const std::string_view sentence = reason(static_cast<RowFault>(i));
    EXPECT_FALSE(sentence.empty()) << i;
    EXPECT_EQ(std::count(sentences.begin(), sentences.end(), sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

TEST(RowErrors, ListsTheFirstAndCountsAll) {
  RowErrors errors(2);
  errors.add(2, "Age", "caf\xE9", RowFault::not_a_number);
  errors.add(3, "Age", std::string(100, 'x'), RowFault::not_a_number);
  errors.add(4, "Age", "", RowFault::empty_cell);
  EXPECT_EQ(errors.total(), 3U);
  EXPECT_TRUE(errors.truncated());
  ASSERT_EQ(errors.listed().size(), 2U);
  EXPECT_EQ(errors.listed()[0].value, "caf\xEF\xBF\xBD");
  EXPECT_EQ(errors.listed()[1].value, std::string(64, 'x'));
  EXPECT_EQ(errors.count(RowFault::not_a_number), 2U);
  EXPECT_EQ(errors.count(RowFault::empty_cell), 1U);
}

}  // namespace
}  // namespace dropscore::table
