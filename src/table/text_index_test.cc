#include "table/text_index.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "table/cells.h"
#include "table/plain_number.h"
#include "tests/support/simd_targets.h"

namespace dropscore::table {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

/// A text between other bytes, as the reader's buffer holds it.
class Padded {
 public:
  explicit Padded(std::string_view text)
      : memory_(std::string(text_padding, '.').append(text).append(text_padding, '\n')), size_(text.size()) {}
  std::string_view text() const { return {memory_.data() + text_padding, size_}; }

 private:
  std::string memory_;
  std::size_t size_;
};

void expect_index_of(std::string_view text, char delimiter, const TextIndex& index) {
  std::vector<std::uint32_t> ends;
  std::vector<std::uint32_t> line_ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') line_ends.push_back(static_cast<std::uint32_t>(ends.size()));
    if (c == '\n' || c == delimiter) ends.push_back(static_cast<std::uint32_t>(i));
  }
  RC_ASSERT(std::vector(index.ends().begin(), index.ends().end()) == ends);
  RC_ASSERT(std::vector(index.line_ends().begin(), index.line_ends().end()) == line_ends);
  std::size_t odd = TextIndex::most_bytes;
  for (std::size_t i = text.size(); i-- > 0;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == 0 || byte >= 0x80) odd = i;
    RC_ASSERT(index.next_odd(i) == odd);
    const bool mark = byte == '.' || (byte == ',' && delimiter != ',');
    const bool other = !mark && (byte < '0' || byte > '9');
    RC_ASSERT((index.marks(i) & 1U) == (mark ? 1U : 0U));
    RC_ASSERT((index.others(i) & 1U) == (other ? 1U : 0U));
  }
}

RC_GTEST_PROP(TextIndex, IsWhatEveryByteSays, (unsigned seed)) {
  Random random(seed);
  std::string text(below(random, 400), '\0');
  const bool odd = below(random, 2) == 0;
  for (char& c : text) c = odd ? static_cast<char>(below(random, 256)) : "0123456789.,;\n\rab-"[below(random, 18)];
  const Padded padded(text);
  const char delimiter = ",;\t"[below(random, 3)];
  dropscore::testing::on_each_target([&] {
    TextIndex index;
    index.build(padded.text(), delimiter, delimiter != ',');
    expect_index_of(padded.text(), delimiter, index);
  });
}

RC_GTEST_PROP(PlainLines, AreWhatEveryByteSays, (unsigned seed)) {
  Random random(seed);
  std::string text(below(random, 400), '\0');
  const std::size_t kinds = below(random, 2) == 0 ? 5 : 300;  // many line ends, or few
  for (char& c : text) c = "\n\r\n\ra"[std::min<std::size_t>(below(random, kinds), 4)];
  if (!text.empty() && below(random, 2) == 0) text[below(random, text.size())] = "\"\xE9"[below(random, 2)];
  const Padded padded(text);
  for (const bool ascii_only : {false, true}) {
    PlainLines expected;
    std::size_t line_begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool beyond = ascii_only && static_cast<unsigned char>(text[i]) >= 0x80;
      expected.found_quote = text[i] == '"';
      if (expected.found_quote || beyond) break;
      if (text[i] != '\n') continue;
      const std::string_view line = std::string_view(text).substr(line_begin, i - line_begin);
      ++expected.lines;
      if (!line.empty() && line != "\r") ++expected.records;
      line_begin = i + 1;
    }
    dropscore::testing::on_each_target([&] {
      const PlainLines found = find_plain_lines(padded.text(), ascii_only);
      RC_ASSERT(found.bytes == line_begin);
      RC_ASSERT(found.lines == expected.lines);
      RC_ASSERT(found.records == expected.records);
      RC_ASSERT(found.found_quote == expected.found_quote);
    });
  }
}

/// Text that is, or nearly is, a number; some near the middle between two floats.
std::string number_like(Random& random) {
  std::string text;
  for (std::size_t n = 1 + below(random, 22); n > 0; --n) text.push_back(static_cast<char>('0' + below(random, 10)));
  if (below(random, 4) == 0) {
    const auto single = static_cast<float>(below(random, 1'000'000)) / 1000;
    const double middle = (static_cast<double>(single) + static_cast<double>(std::nextafter(single, 1e9F))) / 2;
    text = std::to_string(middle) + std::to_string(below(random, 100'000));
  } else if (below(random, 4) != 0) {
    text.insert(below(random, text.size() + 1), 1, '.');
  }
  if (below(random, 10) == 0) text.insert(below(random, text.size() + 1), 1, "-+.,e x"[below(random, 7)]);
  return text.substr(0, 1 + below(random, 24));
}

/// What the quick way reads is what parse_number reads.
template <class T>
std::size_t count_quick(std::span<const std::string> cells, char delimiter) {
  std::string line;
  for (const std::string& cell : cells) (line += cell) += delimiter;
  line.back() = '\n';
  const Padded padded(line);
  const bool decimal_comma = delimiter != ',';
  TextIndex index;
  index.build(padded.text(), delimiter, decimal_comma);
  std::size_t quick = 0;
  const char* begin = padded.text().data();
  for (std::size_t i = 0; i < index.ends().size(); ++i) {
    const char* end = padded.text().data() + index.ends()[i];
    PlainNumber number;
    T value = 0;
    if (read_plain_number(index, padded.text().data(), begin, end, number) && nearest(number, value)) {
      const ParsedNumber exact = parse_number({begin, static_cast<std::size_t>(end - begin)}, decimal_comma);
      RC_ASSERT(exact.fault == RowFault::none);
      RC_ASSERT(value == static_cast<T>(exact.value));
      ++quick;
    }
    begin = end + 1;
  }
  return quick;
}

RC_GTEST_PROP(PlainNumber, IsWhatParseNumberReads, (unsigned seed)) {
  Random random(seed);
  std::vector<std::string> cells(300);
  for (std::string& cell : cells) cell = number_like(random);
  for (const char delimiter : {',', ';'}) {
    RC_ASSERT(count_quick<float>(cells, delimiter) > 150U);
    RC_ASSERT(count_quick<double>(cells, delimiter) > 100U);
  }
}

TEST(PlainNumber, EveryLengthAndEveryPlaceOfTheMark) {
  const std::string digits = "1234567890123456789";
  std::vector<std::string> cells;
  for (std::size_t length = 1; length <= digits.size(); ++length) {
    cells.push_back(digits.substr(0, length));
    for (std::size_t mark = 0; mark <= length; ++mark) {
      cells.push_back(digits.substr(0, length));
      cells.back().insert(mark, 1, '.');
    }
  }
  EXPECT_GE(count_quick<float>(cells, ';'), cells.size() - 2);  // those whose float is not certain
  std::vector<std::string> others = {".", "-", "", "1.2.3", "12345678901234567890", "1e5", " 1", "1-"};
  EXPECT_EQ(count_quick<float>(others, ';'), 0U);
}

}  // namespace
}  // namespace dropscore::table
