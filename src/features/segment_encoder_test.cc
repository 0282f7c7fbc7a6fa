#include "features/segment_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dropscore::features {
namespace {

using table::CsvOptions;
using table::CsvReader;
using table::RowFault;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

schema::Schema mixed_schema(bool missing_allowed) {
  schema::Schema schema;
  for (const char* name : {"a", "k", "b", "l"}) schema.features.emplace_back().name = name;
  for (const std::size_t i : {1U, 3U}) {
    schema::Feature& feature = schema.features[i];
    feature.kind = schema::Kind::categorical;
    feature.categories = {" spaced", "Email", "PPC", "a rather long category, longer than 16", "\xC3\xA9t\xC3\xA9"};
  }
  for (schema::Feature& feature : schema.features) feature.missing_allowed = missing_allowed;
  return schema;
}

struct Reading {
  std::vector<float> values;
  std::vector<std::string> raws;
  std::vector<std::uint64_t> records;
  std::vector<RowFault> faults;
  std::vector<std::string> errors;
  std::vector<std::string> bad_cells;  // of the rows that were refused

  bool operator==(const Reading& other) const {
    const auto same = [](float a, float b) {  // NaN too, and the sign of 0
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    return std::equal(values.begin(), values.end(), other.values.begin(), other.values.end(), same) &&
           raws == other.raws && records == other.records && faults == other.faults && errors == other.errors &&
           bad_cells == other.bad_cells;
  }
};

void append(Reading& reading, Matrix<float>& matrix, const EncodedRows& rows) {
  reading.values.insert(reading.values.end(), matrix.data(), matrix.data() + matrix.rows() * matrix.columns());
  for (const EncodedRow& row : rows.rows) {
    reading.raws.emplace_back(row.raw);
    reading.records.push_back(row.record);
    reading.faults.push_back(row.fault);
    if (row.fault == RowFault::none) continue;
    const table::Row& read = rows.read.rows[row.read_row];
    for (std::size_t i = 0; i < read.cell_count; ++i) reading.bad_cells.emplace_back(rows.read.cell(read, i));
  }
}

void append(Reading& reading, const table::RowErrors& errors) {
  for (const table::RowError& error : errors.listed()) {
    reading.errors.push_back(std::to_string(error.row) + " " + error.column + " " + error.value + " " +
                             std::string(table::reason(error.fault)));
  }
}

/// By segments, or else row by row.
Reading read_all(const schema::Schema& schema, std::string_view text, const CsvOptions& options, bool by_segments,
                 std::size_t most_rows) {
  Reading reading;
  CsvReader reader(options);
  std::optional<SegmentEncoder> encoder;
  Matrix<float> matrix;
  EncodedRows rows;
  table::Segment segment;
  table::RowErrors errors;
  for (;;) {
    const auto step = by_segments ? reader.next(rows.read, segment) : reader.next(rows.read);
    if (!step || *step == CsvReader::Step::end) break;
    if (*step == CsvReader::Step::need_bytes) {
      const std::span<char> room = reader.room();
      const std::size_t count = text.copy(room.data(), room.size());
      if (count == 0) reader.finish();
      if (count > 0) reader.commit(count);
      text.remove_prefix(count);
      continue;
    }
    if (!encoder) encoder.emplace(*SegmentEncoder::bind(schema, reader.header(), reader.dialect(), options));
    if (*step == CsvReader::Step::batch) {
      encoder->encode_read(matrix, rows, errors);
      append(reading, matrix, rows);
      continue;
    }
    encoder->open(segment);
    while (encoder->next(most_rows, matrix, rows, errors)) append(reading, matrix, rows);
  }
  append(reading, errors);
  return reading;
}

std::string random_cell(Random& random, bool number) {
  static const std::array<const char*, 16> odd = {"",     " 7",    "1e3",  "x",       "NA",   "1.2.3", "\"5\"", "-3.5",
                                                  "0x1F", "1e999", "null", "\"a,b\"", "Mail", "\xE9",  "5,5",   "-"};
  static const std::array<const char*, 7> categories = {
      "Email", "PPC", " PPC", "\"a rather long category, longer than 16\"", "\xC3\xA9t\xC3\xA9", " spaced", "\"PPC\""};
  if (below(random, 40) == 0) return odd[below(random, odd.size())];
  if (!number) return categories[below(random, below(random, 4) == 0 ? categories.size() : 2)];
  std::string digits;
  for (std::size_t n = 1 + below(random, 18); n > 0; --n) digits.push_back(static_cast<char>('0' + below(random, 10)));
  if (below(random, 2) == 0) digits.insert(below(random, digits.size() + 1), 1, '.');
  return digits;
}

std::string random_file(Random& random) {
  static const std::array<const char*, 4> fronts = {"k,a,x,b,l", "a,b,k,l",
                                                    "\xEF\xBB\xBF"
                                                    "l,x,k,b,a",
                                                    "a;k;l;b"};
  std::string text = fronts[below(random, fronts.size())];
  const char delimiter = text.find(';') == std::string::npos ? ',' : ';';
  std::vector<bool> numbers;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') numbers.push_back(c != 'k' && c != 'l');
  }
  const std::string line_end = below(random, 2) == 0 ? "\n" : "\r\n";
  text += line_end;
  for (std::size_t rows = below(random, 300); rows > 0; --rows) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i > 0) text += delimiter;
      text += random_cell(random, numbers[i]);
    }
    if (below(random, 60) == 0) text += delimiter;
    if (below(random, 60) == 0) text += "\"";
    text += below(random, 60) == 0 ? "\n\n" : line_end;
  }
  if (below(random, 2) == 0) text.pop_back();
  return text;
}

RC_GTEST_PROP(SegmentEncoder, ReadsWhatRowEncoderReads, (unsigned seed)) {
  Random random(seed);
  const schema::Schema schema = mixed_schema(below(random, 2) == 0);
  for (int round = 0; round < 10; ++round) {
    const std::string text = random_file(random);
    CsvOptions options;
    options.max_row_bytes = below(random, 2) == 0 ? 20 + below(random, 60) : 100'000;
    options.chunk_bytes = 100 + below(random, 100'000);
    const Reading expected = read_all(schema, text, options, false, 0);
    const Reading found = read_all(schema, text, options, true, 1 + below(random, 400));
    RC_ASSERT(found.raws == expected.raws);
    RC_ASSERT(found.errors == expected.errors);
    RC_ASSERT(found == expected);
  }
}

TEST(SegmentEncoder, RowsLongerThanTheIndexsWindow) {
  const schema::Schema schema = mixed_schema(false);
  std::string text = "a,b,k,l,note\n";
  for (int i = 0; i < 20; ++i) {
    text += "1.5,2,PPC,Email," + std::string(static_cast<std::size_t>(i) * 5000, 'x') + "\n3,4,Email,PPC,\n";
  }
  const Reading found = read_all(schema, text, {}, true, 7);
  EXPECT_EQ(found.raws.size(), 40U);
  EXPECT_EQ(found, read_all(schema, text, {}, false, 0));
}

TEST(CategoryIndex, FindsEachOfManyAndNothingElse) {
  schema::Feature feature;
  for (int i = 0; i < 1000; ++i) feature.categories.push_back("category number " + std::to_string(i));
  const CategoryIndex index(feature);
  const auto find = [&index](std::string_view text) {
    const std::string padded = "........" + std::string(text) + "........";
    return index.find(std::string_view(padded).substr(8, text.size()));
  };
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(find(feature.categories[i]), i);
  for (const char* other : {"", "category", "category number 1000", "categorY number 1", " category number 1"}) {
    EXPECT_EQ(find(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace dropscore::features
