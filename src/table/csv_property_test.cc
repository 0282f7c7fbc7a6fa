// What holds for every input: the reader agrees with the oracle, whatever the cuts; what was written reads back; no
// bytes make it crash, and its time and memory stay linear.
#include <array>
#include <chrono>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "table/block_scan.h"
#include "table/csv_oracle.h"
#include "table/csv_test_util.h"
#include "table/csv_writer.h"

namespace dropscore::table {

// How GoogleTest and RapidCheck show a row.
namespace testing {
void PrintTo(const ReadRow& row, std::ostream* out) {
  *out << "line " << row.line << " record " << row.record << " [" << row.raw << "] fault " << reason(row.fault)
       << " at " << row.fault_column << " cells";
  for (const std::string& cell : row.cells) *out << " <" << cell << ">";
}
std::ostream& operator<<(std::ostream& out, const ReadRow& row) {
  PrintTo(row, &out);
  return out;
}
}  // namespace testing

namespace {

using testing::By;
using testing::CsvOracle;
using testing::read_text;
using testing::ReadFile;
using testing::ReadRow;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

/// Bytes among which every rule of the format has its turn.
std::string csv_like(Random& random, std::size_t pieces) {
  static const std::vector<std::string> all = {"a",    "12.5", ",",         ",",        ",",
                                               "\n",   "\n",   "\r\n",      "\r",       "\"",
                                               "\"",   "\"",   "\"\"",      ",\"",      "\",",
                                               "\"\n", "\n\"", "a\",\"b\n", "\xC3\xA9", "\xE9",
                                               "\x81", ";",    "\t",        " ",        "long text of one cell"};
  // Some texts have no faults of bytes, so that quoting faults are not hidden behind them.
  const std::size_t kinds = below(random, 2) == 0 ? 18 : all.size();
  const bool with_nul = below(random, 8) == 0;
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (with_nul && below(random, 40) == 0) {
      text.push_back('\0');
    } else {
      text += all[below(random, kinds)];
    }
  }
  return text;
}

ReadFile read_cut(std::string_view text, const CsvOptions& options, Random& random, std::size_t longest_cut,
                  By by = By::batches) {
  const auto cut = [&](std::size_t most) { return 1 + below(random, std::min(most, longest_cut)); };
  return read_text(text, options, cut, by);
}

constexpr std::array<By, 3> ways = {By::batches, By::segments, By::kept_segments};

RC_GTEST_PROP(CsvProperty, AgreesWithTheOracleWhateverTheCuts, (unsigned seed)) {
  Random random(seed);
  for (int round = 0; round < 10; ++round) {
    const std::string text = "a,b,c\n" + csv_like(random, below(random, 200));
    CsvOptions options;
    options.max_row_bytes = 8 + below(random, below(random, 2) == 0 ? 40 : 400);
    options.chunk_bytes = 1 + below(random, 100);
    options.max_batch_rows = 1 + below(random, 20);
    const std::vector<ReadRow> expected = CsvOracle(text, options.max_row_bytes).rows();
    for (const std::size_t longest_cut : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
      for (const By by : ways) {
        const ReadFile file = read_cut(text, options, random, longest_cut, by);
        RC_ASSERT(file.error == "");
        RC_ASSERT(file.rows == expected);
      }
    }
  }
}

/// Accounts that hold for every file that was read to its end.
void check_accounts(std::string_view text, const ReadFile& file) {
  std::uint64_t line = 1;
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    const ReadRow& row = file.rows[i];
    RC_ASSERT(row.record == i);
    RC_ASSERT(row.line > line);
    line = row.line;
    RC_ASSERT(row.cells.size() <= file.header.size() + 1);
    RC_ASSERT(row.fault != RowFault::none || row.cells.size() == file.header.size());
    RC_ASSERT(row.fault == RowFault::none || row.fault_column <= file.header.size());
    RC_ASSERT(is_utf8(row.raw));
    for (const std::string& cell : row.cells) RC_ASSERT(is_utf8(cell));
  }
  const auto line_feeds = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  if (file.dialect.encoding == Encoding::utf8) RC_ASSERT(line <= line_feeds + 1);
}

RC_GTEST_PROP(CsvProperty, AnyBytesAreReadAlikeWhateverTheCuts, (unsigned seed)) {
  Random random(seed);
  static const std::vector<std::string> fronts = {"",          "\xEF\xBB\xBF", "\xFF\xFE",   "\xFE\xFF", "sep=;\n",
                                                  "a;b;c\r\n", "PAR1",         "PK\x03\x04", "\n\r\n",   "\"a\",b\n"};
  for (int round = 0; round < 10; ++round) {
    std::string text = fronts[below(random, fronts.size())];
    if (below(random, 2) == 0) {
      text += csv_like(random, below(random, 100));
    } else {
      const bool narrow = below(random, 2) == 0;  // few kinds of bytes: more line ends, quotes and surrogates
      static constexpr std::string_view few("\n\"a,\0\0\xD8\xDC", 8);
      const std::size_t size = below(random, 300);
      for (std::size_t i = 0; i < size; ++i) {
        text.push_back(narrow ? few[below(random, few.size())] : static_cast<char>(below(random, 256)));
      }
    }
    CsvOptions options;
    options.max_row_bytes = 4 + below(random, 200);
    options.chunk_bytes = 400;
    const ReadFile whole = read_text(text, options);
    if (whole.error.empty()) check_accounts(text, whole);
    options.max_batch_rows = 1 + below(random, 20);
    for (const std::size_t longest_cut : {std::size_t{1}, std::size_t{7}}) {
      for (const By by : ways) {
        const ReadFile cut = read_cut(text, options, random, longest_cut, by);
        RC_ASSERT(cut.error == whole.error);
        RC_ASSERT(cut.header == whole.header);
        RC_ASSERT(cut.raw_header == whole.raw_header);
        RC_ASSERT(cut.notes == whole.notes);
        RC_ASSERT(cut.rows == whole.rows);
      }
    }
  }
}

RC_GTEST_PROP(CsvProperty, WhatWasWrittenReadsBack, (unsigned seed)) {
  Random random(seed);
  static const std::vector<std::string> pieces = {
      "a", "7", "\"", ",", ";", "\t", "\n", "\r", "\r\n", " ", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xC2\xA0", "=", ""};
  for (int round = 0; round < 20; ++round) {
    const char delimiter = ",;\t"[below(random, 3)];
    const std::string_view line_end = below(random, 2) == 0 ? "\n" : "\r\n";
    const std::size_t columns = 2 + below(random, 5);
    std::vector<std::vector<std::string>> rows(below(random, 30), std::vector<std::string>(columns));
    std::string text;
    const std::vector<std::string_view> header(columns, "name");
    append_csv_record(text, header, delimiter, line_end);
    for (auto& row : rows) {
      for (std::string& cell : row) {
        for (std::size_t n = below(random, 5); n > 0; --n) cell += pieces[below(random, pieces.size())];
      }
      append_csv_record(text, std::vector<std::string_view>(row.begin(), row.end()), delimiter, line_end);
    }
    const ReadFile file = read_cut(text, {}, random, 64);
    RC_ASSERT(file.dialect.delimiter == delimiter);
    RC_ASSERT(file.rows.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RC_ASSERT(file.rows[i].fault == RowFault::none);
      RC_ASSERT(file.rows[i].cells == rows[i]);
    }
  }
}

RC_GTEST_PROP(CsvProperty, BlocksAreScannedAsTheReferenceSays, (unsigned seed)) {
  Random random(seed);
  std::string bytes(scan_block_bytes, '\0');
  for (char& byte : bytes)
    byte = below(random, 2) == 0 ? ",;\n\""[below(random, 4)] : static_cast<char>(below(random, 256));
  for (const char delimiter : {',', ';', '\t'}) {
    const BlockMasks fast = scan_block(bytes.data(), delimiter);
    const BlockMasks reference = scan_block_portable(bytes.data(), delimiter);
    RC_ASSERT(fast.special == reference.special);
    RC_ASSERT(fast.not_ascii == reference.not_ascii);
  }
}

/// Counts rows of a long text made of one piece, given over and over in chunks.
struct Count {
  std::uint64_t rows = 0;
  std::uint64_t faults = 0;
  double seconds = 0;
};
Count count_rows(std::string_view head, std::string_view piece, std::size_t total_bytes, By by) {
  const auto start = std::chrono::steady_clock::now();
  CsvReader reader;
  Batch batch;
  Segment segment;
  Count count;
  std::string pieces;
  while (pieces.size() < 1'000'000) pieces += piece;
  std::string_view rest = head;
  std::size_t given = 0;
  for (;;) {
    const auto step = by == By::batches ? reader.next(batch) : reader.next(batch, segment);
    if (!step || *step == CsvReader::Step::end) break;
    for (const Row& row : batch.rows) {
      ++count.rows;
      if (row.fault != RowFault::none) ++count.faults;
    }
    if (*step != CsvReader::Step::need_bytes) continue;
    if (rest.empty()) rest = pieces;
    const std::span<char> room = reader.room();
    if (given >= total_bytes) {
      reader.finish();
      continue;
    }
    const std::size_t size = std::min(room.size(), rest.size());
    std::copy_n(rest.data(), size, room.data());
    rest.remove_prefix(size);
    reader.commit(size);
    given += size;
  }
  count.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return count;
}

// Were any of these quadratic, 8 MB with the usual limit of 1 MiB a row would take many minutes.
TEST(CsvTime, IsLinearForAdversaries) {
  constexpr std::size_t total = 8'000'000;
  struct Case {
    const char* what;
    std::string head;
    std::string piece;
  };
  const std::vector<Case> cases = {
      {"one endless line", "a,b\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
      {"one endless line of delimiters", "a,b\n", ","},
      {"nothing but quotes", "a,b\n", "\""},
      {"an odd number of quotes", "a,b\n\"", "\"\""},
      {"empty lines", "a,b\n", "\n"},
      {"every line opens a quote that nothing closes", "a,b\n", "a\",\"b\n"},
      {"the same with long lines", "a,b\n", std::string("a\",\"").append(5000, 'b').append("\n")},
      {"good lines among them", "a,b\n", "a\",\"b\n1,2\n"},
      {"quotes closed at the limit", "a,b\n", std::string("\"").append(1'048'570, '\n').append("\",1\n")},
      {"a quote that is closed just after the limit", "a,b\n",
       std::string("\"").append(1'048'580, '\n').append("\",1\n")},
      {"an endless quoted line", "a,b\n\"", "x"},
  };
  for (const Case& c : cases) {
    for (const By by : {By::batches, By::segments}) {
      EXPECT_LT(count_rows(c.head, c.piece, total, by).seconds, 20) << c.what;
    }
  }
}

TEST(CsvTime, IsLinearInSmallCuts) {
  const std::string text = "a,b\n" + std::string(300'000, 'x') + ",1\n\"" + std::string(300'000, '\n') + "\",2\n";
  const ReadFile file = read_text(text, {}, [](std::size_t) { return std::size_t{1}; });
  ASSERT_EQ(file.rows.size(), 2U);
  EXPECT_EQ(file.rows[1].cells[0].size(), 300'000U);
}

}  // namespace
}  // namespace dropscore::table
