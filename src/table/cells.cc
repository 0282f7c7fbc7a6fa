#include "table/cells.h"

#include <cmath>
#include <cstring>

#include <fast_float/fast_float.h>

namespace dropscore::table {
namespace {

constexpr std::string_view no_break_space = "\xC2\xA0";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// REQUIRES: `word` is in lower case.
bool equals_ignoring_case(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

bool is_missing_word(std::string_view trimmed) {
  switch (trimmed.size()) {
    case 0: return true;
    case 2: return equals_ignoring_case(trimmed, "na");
    case 3: return equals_ignoring_case(trimmed, "nan");
    case 4: return equals_ignoring_case(trimmed, "null");
    default: return false;
  }
}

bool is_hexadecimal(std::string_view unsigned_text) {
  if (unsigned_text.size() < 3 || unsigned_text[0] != '0' || lower(unsigned_text[1]) != 'x') return false;
  const char digit = lower(unsigned_text[2]);
  return is_digit(digit) || (digit >= 'a' && digit <= 'f');
}

/// Why `text`, trimmed and no number, is none.
RowFault diagnose(std::string_view text) {
  if (is_missing_word(text)) return RowFault::empty_cell;
  if (text[0] == '+' || text[0] == '-') text.remove_prefix(1);
  if (is_hexadecimal(text)) return RowFault::hexadecimal;
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) return RowFault::not_finite;
  return RowFault::not_a_number;
}

}  // namespace

std::string_view trim(std::string_view cell) {
  for (;;) {
    if (!cell.empty() && is_blank(cell.front())) {
      cell.remove_prefix(1);
    } else if (cell.starts_with(no_break_space)) {
      cell.remove_prefix(no_break_space.size());
    } else {
      break;
    }
  }
  for (;;) {
    if (!cell.empty() && is_blank(cell.back())) {
      cell.remove_suffix(1);
    } else if (cell.ends_with(no_break_space)) {
      cell.remove_suffix(no_break_space.size());
    } else {
      return cell;
    }
  }
}

bool is_missing(std::string_view cell) { return is_missing_word(trim(cell)); }

ParsedNumber parse_number(std::string_view cell, bool decimal_comma) {
  const std::string_view text = trim(cell);
  if (text.empty()) return {0, RowFault::empty_cell};
  char mark = '.';
  if (decimal_comma && std::memchr(text.data(), ',', text.size()) != nullptr) mark = ',';

  // fast_float knows no leading plus, and takes "nan" and "inf": it is only asked where a digit or the mark comes
  // first.
  const char* first = text.data();
  const char* const last = first + text.size();
  if (*first == '+') ++first;
  const char* const after_sign = *text.data() == '-' ? first + 1 : first;
  if (after_sign == last || (!is_digit(*after_sign) && *after_sign != mark)) return {0, diagnose(text)};

  double value = 0;
  const fast_float::parse_options options(fast_float::chars_format::general, mark);
  const auto parsed = fast_float::from_chars_advanced(first, last, value, options);
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != last) return {0, diagnose(text)};
  if (!std::isfinite(value)) return {0, RowFault::number_too_large};
  return {value, RowFault::none};
}

}  // namespace dropscore::table
