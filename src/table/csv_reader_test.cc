#include "table/csv_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "table/csv_test_util.h"

namespace dropscore::table {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::read_text;
using testing::ReadFile;
using testing::ReadRow;

std::string utf16(std::u16string_view text, bool big_endian) {
  std::string out = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8U);
    const char low = static_cast<char>(unit & 0xFFU);
    out.push_back(big_endian ? high : low);
    out.push_back(big_endian ? low : high);
  }
  return out;
}

/// One row's fault, its column and line, for tables of them.
struct Fault {
  std::uint64_t line;
  RowFault fault;
  std::uint32_t column = 0;
  bool operator==(const Fault&) const = default;
};
void PrintTo(const Fault& f, std::ostream* out) {
  *out << "line " << f.line << " '" << reason(f.fault) << "' at " << f.column;
}
std::vector<Fault> faults(const ReadFile& file) {
  std::vector<Fault> out;
  for (const ReadRow& row : file.rows) out.push_back({row.line, row.fault, row.fault_column});
  return out;
}
Fault good(std::uint64_t line) { return {line, RowFault::none}; }

TEST(CsvReader, ReadsRowsAndCells) {
  const ReadFile file = read_text(" Age ,City\n34,Oslo\n 5 , \n");
  EXPECT_THAT(file.error, IsEmpty());
  EXPECT_THAT(file.header, ElementsAre("Age", "City"));
  EXPECT_EQ(file.raw_header, " Age ,City");
  ASSERT_EQ(file.rows.size(), 2U);
  EXPECT_EQ(file.rows[0], (ReadRow{2, 0, "34,Oslo", {"34", "Oslo"}, RowFault::none, 0}));
  EXPECT_EQ(file.rows[1], (ReadRow{3, 1, " 5 , ", {" 5 ", " "}, RowFault::none, 0}));
  EXPECT_THAT(file.notes, IsEmpty());
  EXPECT_FALSE(file.dialect.crlf);
  EXPECT_FALSE(file.dialect.bom);
}

TEST(CsvReader, TheLastLineNeedsNoEnd) {
  for (const char* text : {"a,b\n1,2", "a,b\n1,2\r", "a,b\r\n1,2\r\n",
                           "\xEF\xBB\xBF"
                           "a,b\n1,2\n\n"}) {
    const ReadFile file = read_text(text);
    EXPECT_THAT(file.header, ElementsAre("a", "b")) << text;
    ASSERT_EQ(file.rows.size(), 1U) << text;
    EXPECT_THAT(file.rows[0].cells, ElementsAre("1", "2")) << text;
  }
  EXPECT_THAT(read_text("a,b").rows, IsEmpty());
  EXPECT_THAT(read_text("a,b").error, IsEmpty());
}

TEST(CsvReader, Quotes) {
  const ReadFile file = read_text(
      "a,\"b \"\"x\"\"\"\r\n\"1,5\",\"two\r\nlines\"\r\n5'10\",say \"hi\"\n\"\",\"\"\"\"\n\"ab\"cd, "
      "\"x\"\n\"\"\"a\"\"\",z\n");
  EXPECT_THAT(file.header, ElementsAre("a", "b \"x\""));
  EXPECT_TRUE(file.dialect.crlf);
  ASSERT_EQ(file.rows.size(), 5U);
  EXPECT_THAT(file.rows[0].cells, ElementsAre("1,5", "two\r\nlines"));
  EXPECT_EQ(file.rows[0].raw, "\"1,5\",\"two\r\nlines\"");
  EXPECT_THAT(file.rows[1].cells, ElementsAre("5'10\"", "say \"hi\"")) << "a quote inside a cell is a character";
  EXPECT_EQ(file.rows[1].line, 4U);
  EXPECT_THAT(file.rows[2].cells, ElementsAre("", "\""));
  EXPECT_THAT(file.rows[3].cells, ElementsAre("abcd", " \"x\"")) << "what follows a closing quote is kept";
  EXPECT_THAT(file.rows[4].cells, ElementsAre("\"a\"", "z"));
}

TEST(CsvReader, LineEndsMayBeMixedAndALoneCrIsData) {
  const ReadFile file = read_text("a,b\r\n1,2\n3\r4,5\r\n\"6\"\r,7\n");
  ASSERT_EQ(file.rows.size(), 3U);
  EXPECT_THAT(file.rows[0].cells, ElementsAre("1", "2"));
  EXPECT_THAT(file.rows[1].cells, ElementsAre("3\r4", "5"));
  EXPECT_THAT(file.rows[2].cells, ElementsAre("6\r", "7"));
}

TEST(CsvReader, BlankLinesAreSkippedButCounted) {
  const ReadFile file = read_text("\n\r\na,b\n\n1,2\n\r\n\n\"x\n\ny\",4\n5,6\n\n\n");
  EXPECT_THAT(faults(file), ElementsAre(good(5), good(8), good(11)));
  EXPECT_EQ(file.rows[2].record, 2U);
  EXPECT_EQ(read_text("a\n\"\"\n\n1\n").rows.size(), 2U) << "a quoted empty cell is a record";
}

TEST(CsvReader, FindsTheDelimiter) {
  const auto delimiter = [](std::string_view text) { return read_text(text).dialect.delimiter; };
  EXPECT_EQ(delimiter("a,b\n"), ',');
  EXPECT_EQ(delimiter("a;b\n"), ';');
  EXPECT_EQ(delimiter("a\tb\n"), '\t');
  EXPECT_EQ(delimiter("alone\n"), ',');
  EXPECT_EQ(delimiter("a,b;c\n"), ',') << "a tie";
  EXPECT_EQ(delimiter("a;b\tc\n"), ';') << "a tie";
  EXPECT_EQ(delimiter("\"a,b,c\";\"d,\"\"e\";f\n"), ';') << "quoted ones do not count";
  EXPECT_EQ(delimiter("\"a,\nb,\";c;d\n1,2,3,4,5\n"), ';') << "the header's record, not its line";
  EXPECT_FALSE(read_text("a,b\n").dialect.decimal_comma);
  EXPECT_TRUE(read_text("a;b\n").dialect.decimal_comma);
  EXPECT_TRUE(read_text("a\tb\n").dialect.decimal_comma);
}

TEST(CsvReader, HonoursExcelsSeparatorLine) {
  for (const char* line : {"sep=;\n", "SEP=;\r\n", "\"sep=;\"\n", "\nsep=;\n", "\xEF\xBB\xBFsep=;\n"}) {
    const ReadFile file = read_text(std::string(line) + "a,b;c\n1;2\n");
    EXPECT_THAT(file.header, ElementsAre("a,b", "c")) << line;
    EXPECT_THAT(file.rows.at(0).cells, ElementsAre("1", "2")) << line;
  }
  EXPECT_EQ(read_text("sep=;\na;b\n1;2\n").rows.at(0).line, 3U);
  EXPECT_THAT(read_text("sep=|\na|b\n1|2\n").rows.at(0).cells, ElementsAre("1", "2"));
  EXPECT_THAT(read_text("sep=a,b\n1,2\n").header, ElementsAre("sep=a", "b")) << "a column's name";
}

TEST(CsvReader, CountsCells) {
  const ReadFile file = read_text("a,b,c\n1,2\n1,2,3,4,5\n\"\"\n1,2,3\n,,\n");
  EXPECT_THAT(faults(file), ElementsAre(Fault{2, RowFault::too_few_cells, 2}, Fault{3, RowFault::too_many_cells, 3},
                                        Fault{4, RowFault::too_few_cells, 1}, good(5), good(6)));
  EXPECT_EQ(file.rows[1].cells[3], "4") << "the first surplus cell is there to be shown";
}

TEST(CsvReader, ATrailingDelimiterMakesALastNamelessColumn) {
  const ReadFile file = read_text("a,b,\n1,2,\n1,2\n");
  EXPECT_THAT(file.header, ElementsAre("a", "b", ""));
  EXPECT_THAT(faults(file), ElementsAre(good(2), Fault{3, RowFault::too_few_cells, 2}));
}

TEST(CsvReader, RefusesRowsWithNul) {
  const ReadFile file = read_text("a,b\n1,2\n1,\0002\n3,\"\0\"\n5,6\n"s);
  EXPECT_THAT(faults(file),
              ElementsAre(good(2), Fault{3, RowFault::nul_byte, 1}, Fault{4, RowFault::nul_byte, 1}, good(5)));
}

TEST(CsvReader, RefusesRowsOverTheLimitAndGoesOn) {
  const std::string fits(13, 'x');  // with ",1" and so on: 16 bytes
  const ReadFile file = read_text("a,b\n1," + fits + "x\n2," + fits + "xx\n3," + fits + "x\r\n4," + fits +
                                      "xxxxxxxxx,,,\"\n\"quoted and long,\n5,6\n7," + fits + "x",
                                  {.max_row_bytes = 16});
  EXPECT_THAT(faults(file),
              ElementsAre(good(2), Fault{3, RowFault::row_too_long, 1}, good(4), Fault{5, RowFault::row_too_long, 1},
                          Fault{6, RowFault::row_too_long, 0}, good(7), good(8)));
  EXPECT_EQ(file.rows[3].raw, "4," + fits + "x") << "cut at the limit";
  EXPECT_EQ(file.rows[3].cells[1], fits + "x");
}

TEST(CsvReader, ReadsOnAfterAQuoteThatIsNeverClosed) {
  const ReadFile file = read_text("a,b\n1,2\n3,\"four\n5,6\n7,8\n");
  EXPECT_THAT(faults(file), ElementsAre(good(2), Fault{3, RowFault::unclosed_quote, 1}, good(4), good(5)));
  EXPECT_EQ(file.rows[1].raw, "3,\"four");
  EXPECT_THAT(file.rows[1].cells, ElementsAre("3", "four"));
  EXPECT_THAT(faults(read_text("a,b\n1,\"2")), ElementsAre(Fault{2, RowFault::unclosed_quote, 1}));

  std::string text = "a,b\n1,\"2\r\n";
  for (int i = 0; i < 20; ++i) text += "3,4\n";
  text += "5,\"6\n";
  const ReadFile limited = read_text(text, {.max_row_bytes = 30});
  ASSERT_EQ(limited.rows.size(), 22U);
  EXPECT_EQ(limited.rows[0].fault, RowFault::unclosed_quote);
  EXPECT_EQ(limited.rows[0].raw, "1,\"2");
  for (std::size_t i = 1; i <= 20; ++i) EXPECT_EQ(limited.rows[i].fault, RowFault::none) << i;
  EXPECT_EQ(limited.rows[21].fault, RowFault::unclosed_quote);
  EXPECT_EQ(limited.rows[21].line, 23U);
}

TEST(CsvReader, Utf16IsTranscoded) {
  for (const bool big_endian : {false, true}) {
    const ReadFile file = read_text(utf16(u"n\u00E4me;b\r\n\"\u20AC\";\U0001F600\r\n", big_endian));
    EXPECT_THAT(file.header, ElementsAre("n\xC3\xA4me", "b"));
    EXPECT_THAT(file.rows.at(0).cells, ElementsAre("\xE2\x82\xAC", "\xF0\x9F\x98\x80"));
    EXPECT_EQ(file.dialect.encoding, big_endian ? Encoding::utf16_big : Encoding::utf16_little);
    EXPECT_TRUE(file.dialect.bom);
    EXPECT_THAT(file.notes, ElementsAre(big_endian ? "read as UTF-16BE" : "read as UTF-16LE"));
  }
}

TEST(CsvReader, RowsOfBrokenUtf16AreRefused) {
  const std::u16string text = {u'a', u'\n', 0xD800, u'x', u'\n', u'1', u'\n', 0xDC00, u'\n', u'2', u'\n'};
  const ReadFile file = read_text(utf16(text, false) + "3");
  EXPECT_THAT(faults(file), ElementsAre(Fault{2, RowFault::not_text, 0}, good(3), Fault{4, RowFault::not_text, 0},
                                        good(5), Fault{6, RowFault::not_text, 0}));
  EXPECT_THAT(file.rows[0].cells, ElementsAre(std::string(utf8_replacement) + "x"));
}

TEST(CsvReader, Windows1252IsFoundAtTheFirstRowWithMoreThanAscii) {
  const ReadFile file = read_text("a,b\n1,2\nMalm\xF6,\x80\n\xC3\xA9,\"\x93q\"\"\x94\"\n\x81,1\nx,y\n");
  EXPECT_THAT(file.rows.at(1).cells, ElementsAre("Malm\xC3\xB6", "\xE2\x82\xAC"));
  EXPECT_EQ(file.rows[1].raw, "Malm\xC3\xB6,\xE2\x82\xAC");
  EXPECT_THAT(file.rows.at(2).cells, ElementsAre("\xC3\x83\xC2\xA9", "\xE2\x80\x9Cq\"\xE2\x80\x9D"));
  EXPECT_THAT(faults(file), ElementsAre(good(2), good(3), good(4), Fault{5, RowFault::not_text, 0}, good(6)));
  EXPECT_EQ(file.dialect.encoding, Encoding::windows_1252);
  EXPECT_THAT(file.notes, ElementsAre("read as Windows-1252: the text from line 3 on is not UTF-8"));

  const ReadFile by_header = read_text("caf\xE9,b\n1,2\n");
  EXPECT_THAT(by_header.header, ElementsAre("caf\xC3\xA9", "b"));
  EXPECT_EQ(by_header.raw_header, "caf\xC3\xA9,b");
  EXPECT_EQ(by_header.notes.size(), 1U);
}

TEST(CsvReader, OnceUtf8AlwaysUtf8) {
  for (const char* front : {"a,\xC3\xA9\n", "a,b\n\xC3\xA9,1\n",
                            "\xEF\xBB\xBF"
                            "a,b\n"}) {
    const ReadFile file = read_text(std::string(front) + "1,\xE9\nx,y\n");
    const std::size_t at = file.rows.size() - 2;
    EXPECT_EQ(file.rows[at].fault, RowFault::not_text) << front;
    EXPECT_EQ(file.rows[at].fault_column, 1U) << front;
    EXPECT_EQ(file.rows[at].cells[1], utf8_replacement) << front;
    EXPECT_EQ(file.rows[at + 1].fault, RowFault::none) << front;
    EXPECT_EQ(file.dialect.encoding, Encoding::utf8) << front;
    EXPECT_THAT(file.notes, IsEmpty()) << front;
  }
}

TEST(CsvReader, ARowThatIsNeitherEncodingDecidesNothing) {
  const ReadFile file = read_text("a\n\x81\n\xE9\n");
  EXPECT_THAT(faults(file), ElementsAre(Fault{2, RowFault::not_text, 0}, good(3)));
  EXPECT_EQ(file.dialect.encoding, Encoding::windows_1252);
}

TEST(CsvReader, SaysWhatIsWrongWithAFile) {
  const auto error = [](std::string_view text) { return read_text(text).error; };
  for (const std::string& text : {""s, "\n\r\n\n"s, "\xEF\xBB\xBF"s, "\xFF\xFE"s, "\r"s}) {
    EXPECT_THAT(error(text), HasSubstr("empty")) << text;
  }
  EXPECT_THAT(error("PK\x03\x04 and so on"), HasSubstr("Excel workbook"));
  EXPECT_THAT(error("\xD0\xCF\x11\xE0\xA1\xB1"), HasSubstr("old Excel workbook"));
  EXPECT_THAT(error("\x1F\x8B\x08"), HasSubstr("gzip"));
  EXPECT_THAT(error("%PDF-1.7\n"), HasSubstr("PDF"));
  EXPECT_THAT(error("<!DOCTYPE html>\n<p>a,b</p>\n"), HasSubstr("web page"));
  EXPECT_THAT(error("<HTML>\n"), HasSubstr("web page"));
  EXPECT_THAT(error("{\"a\": 1}\n"), HasSubstr("JSON"));
  EXPECT_THAT(error("[\n  {\"a\": 1}]\n"), HasSubstr("JSON"));
  for (const std::string& text : {"[a],b\n1,2\n"s, "{a},b\n1,2\n"s, "<a>,b\n1,2\n"s, "[\n"s, "{\n"s}) {
    EXPECT_THAT(error(text), IsEmpty()) << text;
  }
  EXPECT_THAT(error("PAR1\x15\x04"), HasSubstr("Parquet"));
  EXPECT_THAT(error("PAR1,PAR2\n1,2\n"), IsEmpty()) << "columns may have such names";
  for (const std::string& text : {"a\0b\n1\n"s, "a\x81,b\n"s,
                                  "\xEF\xBB\xBF"
                                  "caf\xE9\n"s,
                                  "\xFF\xFE"
                                  "a\0\0\0\n\0"s,
                                  "\x7F"
                                  "ELF\x02\x01\x01\0\0\0\n"s}) {
    EXPECT_THAT(error(text), HasSubstr("not text")) << text;
  }
  EXPECT_THAT(error(",,\n1,2,3\n"), HasSubstr("no header"));
  EXPECT_THAT(error("sep=;\n"), HasSubstr("no header"));
  EXPECT_THAT(error("a,\"b\n1,2\n"), HasSubstr("never closed"));
  EXPECT_THAT(error("a,b\r1,2\r3,4\r"), HasSubstr("CR alone"));
  EXPECT_THAT(read_text("a,b,c\n", {.max_columns = 2}).error, HasSubstr("3 columns; at most 2"));
  EXPECT_THAT(read_text("a,b,c,d\n", {.max_row_bytes = 6}).error, HasSubstr("longer than 6 bytes"));
}

TEST(CsvReader, AfterAnErrorItSaysTheSame) {
  CsvReader reader;
  Batch batch;
  reader.finish();
  const auto first = reader.next(batch);
  const auto second = reader.next(batch);
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error().kind, ErrorKind::reject);
  EXPECT_EQ(second.error().customer.text, first.error().customer.text);
}

TEST(CsvReader, BatchesAreBounded) {
  CsvReader reader({.max_batch_rows = 2});
  constexpr std::string_view text = "a\n1\n2\n3\n";
  const std::span<char> room = reader.room();
  EXPECT_GE(room.size(), limits::read_chunk_bytes);
  std::copy(text.begin(), text.end(), room.begin());
  reader.commit(text.size());
  reader.finish();
  Batch batch;
  EXPECT_EQ(*reader.next(batch), CsvReader::Step::batch);
  EXPECT_EQ(batch.rows.size(), 2U);
  EXPECT_EQ(batch.cell(batch.rows[1], 0), "2");
  CsvReader moved = std::move(reader);
  EXPECT_EQ(*moved.next(batch), CsvReader::Step::batch);
  EXPECT_EQ(batch.rows.size(), 1U);
  EXPECT_EQ(*moved.next(batch), CsvReader::Step::end);
  EXPECT_EQ(*moved.next(batch), CsvReader::Step::end);
  EXPECT_EQ(moved.bytes_read(), text.size());
}

TEST(CsvReader, ErrorsNameTheCellToBlame) {
  CsvReader reader;
  constexpr std::string_view text = "a,b\n1\n1,2,3\n";
  std::copy(text.begin(), text.end(), reader.room().begin());
  reader.commit(text.size());
  reader.finish();
  Batch batch;
  ASSERT_EQ(*reader.next(batch), CsvReader::Step::batch);
  RowErrors errors;
  for (const Row& row : batch.rows) add_error(errors, batch, row, reader.header());
  ASSERT_EQ(errors.listed().size(), 2U);
  EXPECT_EQ(errors.listed()[0].row, 2U);
  EXPECT_EQ(errors.listed()[0].column, "b");
  EXPECT_EQ(errors.listed()[0].value, "");
  EXPECT_EQ(errors.listed()[1].column, "");
  EXPECT_EQ(errors.listed()[1].value, "3");
}

TEST(CsvOptions, AreValidated) {
  EXPECT_TRUE(CsvOptions{}.validate());
  EXPECT_EQ(CsvOptions{.max_row_bytes = 0}.validate().error().kind, ErrorKind::misuse);
  EXPECT_FALSE(CsvOptions{.max_columns = 0}.validate());
  EXPECT_FALSE(CsvOptions{.chunk_bytes = 0}.validate());
  EXPECT_FALSE(CsvOptions{.max_batch_rows = 0}.validate());
}

}  // namespace
}  // namespace dropscore::table
