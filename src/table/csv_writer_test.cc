#include "table/csv_writer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dropscore::table {
namespace {

std::string cell(std::string_view text, char delimiter = ',') {
  std::string out;
  append_csv_cell(out, text, delimiter);
  return out;
}

std::string record(const std::vector<std::string_view>& cells, std::string_view line_end = "\n") {
  std::string out;
  append_csv_record(out, cells, ',', line_end);
  return out;
}

TEST(CsvWriter, QuotesOnlyWhereItHasTo) {
  EXPECT_EQ(cell("plain text"), "plain text");
  EXPECT_EQ(cell(""), "");
  EXPECT_EQ(cell("a,b"), "\"a,b\"");
  EXPECT_EQ(cell("a,b", ';'), "a,b");
  EXPECT_EQ(cell("a;b", ';'), "\"a;b\"");
  EXPECT_EQ(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(cell("\""), "\"\"\"\"");
  EXPECT_EQ(cell("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(cell("a\rb"), "\"a\rb\"");
  EXPECT_EQ(cell(" a"), "\" a\"");
  EXPECT_EQ(cell("a\t"), "\"a\t\"");
  EXPECT_EQ(cell("\xEF\xBB\xBF"
                 "a"),
            "\"\xEF\xBB\xBF"
            "a\"");
}

TEST(CsvWriter, WritesRecords) {
  EXPECT_EQ(record({"a", "", "c"}), "a,,c\n");
  EXPECT_EQ(record({"a"}, "\r\n"), "a\r\n");
  EXPECT_EQ(record({""}), "\"\"\n") << "a blank line would be no record";
  EXPECT_EQ(record({"", ""}), ",\n");
}

}  // namespace
}  // namespace dropscore::table
