#include "table/dialect.h"

#include <array>

#include <strings.h>

#include "base/utf8.h"

namespace dropscore::table {
namespace {

constexpr std::array<char, 3> candidates = {',', ';', '\t'};  // in order of preference where they are equally frequent

int candidate_index(char c) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i] == c) return static_cast<int>(i);
  }
  return -1;
}

/// What may come after "sep=": anything that separates, nothing that a cell needs.
bool may_separate(char c) {
  return c == '\t' || (c > ' ' && c < '\x7F' && c != '"' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
                       !(c >= 'a' && c <= 'z'));
}

bool is_sep_key(std::string_view text) {
  return text.size() == 4 && (text[0] | 0x20) == 's' && (text[1] | 0x20) == 'e' && (text[2] | 0x20) == 'p' &&
         text[3] == '=';
}

bool begins_html(std::string_view front) {
  return front.size() >= 5 &&
         (::strncasecmp(front.data(), "<html", 5) == 0 || ::strncasecmp(front.data(), "<!doc", 5) == 0);
}

/// An object, or an array of objects: of a name in a header, neither is the beginning.
bool begins_json(std::string_view front) {
  const std::size_t second = front.find_first_not_of(" \t\r\n", 1);
  if (second == std::string_view::npos) return false;
  return (front[0] == '{' && front[second] == '"') || (front[0] == '[' && front[second] == '{');
}

}  // namespace

std::string_view refuse_by_signature(std::string_view front) {
  using namespace std::string_view_literals;
  if (front.starts_with("PK\x03\x04"sv)) {
    return "This is an Excel workbook or a zip archive, not a CSV file. Open the workbook and save it as CSV "
           "(File > Save As > CSV UTF-8), or unpack the archive.";
  }
  if (front.starts_with("\xD0\xCF\x11\xE0"sv)) {
    return "This is an old Excel workbook (.xls), not a CSV file. Open it and save it as CSV "
           "(File > Save As > CSV UTF-8).";
  }
  if (front.starts_with("\x1F\x8B"sv)) return "This file is compressed with gzip. Unpack it and send the CSV file.";
  if (front.starts_with("%PDF-"sv)) return "This is a PDF document, not a CSV file. Export the table itself as CSV.";
  if (begins_html(front)) return "This is a web page (HTML), not a CSV file. Export the table itself as CSV.";
  if (begins_json(front))
    return "This is JSON, not a CSV file. Export the table as CSV: one header line, one line a row.";
  if (front.starts_with("PAR1"sv) && front.size() > 4) {
    // A column may be called PAR1; Parquet goes on with a byte that no text holds there.
    const auto next = static_cast<unsigned char>(front[4]);
    if ((next < 0x20 && next != '\t' && next != '\n' && next != '\r') || next >= 0x80) {
      return "This is a Parquet file, not a CSV file. Export it as CSV.";
    }
  }
  return {};
}

ByteOrderMark byte_order_mark(std::string_view front) {
  if (front.starts_with(utf8_bom)) return ByteOrderMark::utf8;
  if (front.starts_with("\xFF\xFE")) return ByteOrderMark::utf16_little;
  if (front.starts_with("\xFE\xFF")) return ByteOrderMark::utf16_big;
  return ByteOrderMark::none;
}

std::size_t size_of(ByteOrderMark mark) {
  switch (mark) {
    case ByteOrderMark::none: return 0;
    case ByteOrderMark::utf8: return 3;
    case ByteOrderMark::utf16_little:
    case ByteOrderMark::utf16_big: return 2;
  }
  return 0;
}

SeparatorLine find_separator_line(std::string_view text, bool whole) {
  constexpr std::size_t longest = std::string_view("\"sep=;\"\r\n").size();
  const std::size_t line_end = text.substr(0, longest).find('\n');
  SeparatorLine result;
  if (line_end == std::string_view::npos) {
    if (!whole && text.size() < longest) {
      result.found = SeparatorLine::Found::need_bytes;
      return result;
    }
    if (text.size() >= longest) return result;
  }
  std::string_view line = text.substr(0, line_end);
  result.bytes = line.size() + (line_end == std::string_view::npos ? 0 : 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() == 7 && line.front() == '"' && line.back() == '"') line = line.substr(1, 5);
  if (line.size() != 5 || !is_sep_key(line.substr(0, 4)) || !may_separate(line[4])) return result;
  result.found = SeparatorLine::Found::yes;
  result.delimiter = line[4];
  return result;
}

DelimiterGuess guess_delimiter(std::string_view text) {
  std::array<std::size_t, candidates.size()> counts{};
  DelimiterGuess guess;
  bool quoted = false;
  bool cell_start = true;  // after any candidate, as the delimiter is not known yet
  for (const char c : text) {
    if (quoted) {
      if (c == '"') quoted = false;  // the second of a doubled quote opens again: it follows a quote
      cell_start = c == '"';
      continue;
    }
    if (c == '\n') {
      guess.complete = true;
      break;
    }
    if (c == '"' && cell_start) {
      quoted = true;
      continue;
    }
    const int index = candidate_index(c);
    if (index >= 0) ++counts[static_cast<std::size_t>(index)];
    cell_start = index >= 0;
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    if (counts[i] > counts[best]) best = i;
  }
  guess.delimiter = candidates[best];
  return guess;
}

}  // namespace dropscore::table
