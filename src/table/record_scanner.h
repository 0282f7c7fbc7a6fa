// Finds records and cells in text that lies in memory. Knows quoting, the row limit and how to go on after a quote
// that is never closed; knows nothing of headers, encodings or where the text came from.
//
// Time is linear in the text, whatever it holds. The one danger is a file where line after line opens a quote that
// nothing closes: each would be read up to the row limit to find that out. But where a record is in quotes at a line
// end, what follows does not depend on where the record began, so that the scanner remembers up to where "in quotes at
// this line end" is known to lead nowhere (`dead_`), and a later record goes on from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "table/block_scan.h"
#include "table/text_arena.h"

namespace dropscore::table {

inline constexpr std::uint32_t no_column = std::numeric_limits<std::uint32_t>::max();

struct ScannedRecord {
  enum class End : std::uint8_t {
    complete,    ///< ended by a line end, or by the end of the text where that is all there is
    need_bytes,  ///< nothing was taken
    over_limit,  ///< cut at max_row_bytes; the rest of the physical line is still to be skipped
    unclosed,    ///< a quote is never closed: only the first physical line was taken
  };
  End end = End::need_bytes;
  const char* begin = nullptr;
  const char* content_end = nullptr;  ///< without the line end
  const char* next = nullptr;         ///< where the reading goes on
  std::uint64_t line_ends = 0;        ///< LFs in [begin, next)
  std::uint32_t cells = 0;            ///< how many there are; at most out.size() of them were written
  std::uint32_t nul_column = no_column;
  std::uint32_t blamed_column =
      no_column;  ///< over_limit: where the limit fell; unclosed: the quote's that is open at the first line's end
  bool maybe_not_ascii = false;  ///< false: the record is ASCII

  std::string_view content() const { return {begin, static_cast<std::size_t>(content_end - begin)}; }
};

/// Not thread-safe.
class RecordScanner {
 public:
  /// REQUIRES: max_row_bytes > 0; `delimiter` is no quote, CR, LF or NUL.
  RecordScanner(char delimiter, std::size_t max_row_bytes) : delimiter_(delimiter), max_row_bytes_(max_row_bytes) {}

  /// The text to scan from now on. `offset` is the place of its first byte in the whole file's text; `whole` says that
  /// nothing comes after it. REQUIRES: text_padding readable bytes follow it.
  void open(std::string_view text, std::uint64_t offset, bool whole);

  const char* at() const { return at_; }
  const char* end() const { return end_; }
  /// Goes on at `place`, inside the opened text.
  void seek(const char* place);

  /// Goes past the LFs that come next and returns how many: blank lines, more quickly than scan() takes them.
  std::size_t skip_line_feeds();

  /// Reads the next record and writes its cells, unquoted, to `out`; what had to be copied is in `arena`. A blank line
  /// is a record without content. A cell that the limit or an unclosed quote cut short is written up to there.
  /// REQUIRES: at() != end().
  ScannedRecord scan(std::span<std::string_view> out, TextArena& arena);

 private:
  // A place in the text: a block of 64 bytes and those of its special bytes that were not visited yet.
  struct Cursor {
    const char* block = nullptr;
    std::uint64_t specials = 0;
    bool block_not_ascii = false;
    bool seen_not_ascii = false;  // in any block since the record began
  };
  struct Quote {
    const char* open = nullptr;
    const char* close = nullptr;
    bool doubled = false;
  };
  // Offsets in the file's text: a record that is in quotes at a line end in [from, to) does not end before `to`, and
  // is still in quotes there.
  struct DeadRun {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };

  void load(Cursor& cursor) const;
  const char* next_special(Cursor& cursor) const;
  ScannedRecord scan_once(std::span<std::string_view> out, TextArena& arena);
  bool read_quoted(Cursor& cursor, const char* window_end, Quote& quote, ScannedRecord& record);
  void jump_over_dead_run(Cursor& cursor, const char* line_end);
  void end_in_quotes(ScannedRecord& record, const Quote& quote, std::span<std::string_view> out);
  bool ends_after_limit(ScannedRecord& record, const char* limit) const;

  char delimiter_;
  std::size_t max_row_bytes_;
  const char* at_ = nullptr;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t offset_ = 0;
  bool whole_ = false;
  Cursor cursor_;
  DeadRun dead_;
  bool jumped_ = false;                   // the record being read skipped a dead run: its cells are incomplete
  const char* first_line_end_ = nullptr;  // of the record being read, in quotes
  const char* quote_there_ = nullptr;     // the quote that is open at it,
  std::uint32_t column_there_ = 0;        // and its cell
};

}  // namespace dropscore::table
