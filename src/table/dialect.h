// What the first bytes of a file tell: whether it is text at all, its encoding's mark, its delimiter.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace dropscore::table {

/// How many bytes are needed (or the whole file, where it is shorter) to know a signature.
inline constexpr std::size_t signature_bytes = 5;

/// For a file that is a spreadsheet, an archive or a document: the sentence that tells the customer what to do.
/// Empty for what may be text.
std::string_view refuse_by_signature(std::string_view front);

enum class ByteOrderMark { none, utf8, utf16_little, utf16_big };
ByteOrderMark byte_order_mark(std::string_view front);
std::size_t size_of(ByteOrderMark mark);

/// Excel's first line "sep=;", which names the delimiter and is no header.
struct SeparatorLine {
  enum class Found { no, yes, need_bytes };
  Found found = Found::no;
  char delimiter = ',';
  std::size_t bytes = 0;  ///< with its line end
};
/// `text` is the file from the start of a line; `whole` where nothing comes after it.
SeparatorLine find_separator_line(std::string_view text, bool whole);

/// Comma, semicolon or tab: the most frequent of them outside quotes in the first record of `text`; comma where there
/// is none. `complete` tells whether the record's end was seen.
struct DelimiterGuess {
  char delimiter = ',';
  bool complete = false;
};
DelimiterGuess guess_delimiter(std::string_view text);

}  // namespace dropscore::table
