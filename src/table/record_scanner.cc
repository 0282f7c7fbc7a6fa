#include "table/record_scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dropscore::table {
namespace {

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

/// `end`, or one less where a CR stands before it.
const char* without_cr(const char* begin, const char* end) { return end > begin && end[-1] == '\r' ? end - 1 : end; }

/// The text of a cell that cannot be shown as it lies: doubled quotes become one, text after the closing quote is kept.
std::string_view unquote(const char* open, const char* close, const char* cell_end, TextArena& arena) {
  const auto room = static_cast<std::size_t>(cell_end - open);
  char* const begin = arena.allocate(room);
  char* out = begin;
  for (const char* in = open + 1; in < close;) {
    const void* const found = std::memchr(in, '"', static_cast<std::size_t>(close - in));
    const char* const stop = found == nullptr ? close : static_cast<const char*>(found) + 1;
    out = std::copy(in, stop, out);
    in = found == nullptr ? close : stop + 1;
  }
  out = std::copy(close + 1, cell_end, out);
  arena.give_back(room - static_cast<std::size_t>(out - begin));
  return between(begin, out);
}

}  // namespace

void RecordScanner::open(std::string_view text, std::uint64_t offset, bool whole) {
  begin_ = text.data();
  end_ = begin_ + text.size();
  offset_ = offset;
  whole_ = whole;
  seek(begin_);
}

void RecordScanner::seek(const char* place) {
  at_ = place;
  cursor_.block = place;
  load(cursor_);
}

std::size_t RecordScanner::skip_line_feeds() {
  const char* const after = std::find_if(at_, end_, [](char c) { return c != '\n'; });
  const auto count = static_cast<std::size_t>(after - at_);
  seek(after);
  return count;
}

inline void RecordScanner::load(Cursor& cursor) const {
  BlockMasks masks = scan_block(cursor.block, delimiter_);
  const auto left = static_cast<std::size_t>(end_ - cursor.block);
  if (left < scan_block_bytes) {
    const std::uint64_t valid = (std::uint64_t{1} << left) - 1;
    masks.special &= valid;
    masks.not_ascii &= valid;
  }
  cursor.specials = masks.special;
  cursor.block_not_ascii = masks.not_ascii != 0;
  cursor.seen_not_ascii |= cursor.block_not_ascii;
}

/// The next special byte, or the text's end.
inline const char* RecordScanner::next_special(Cursor& cursor) const {
  while (cursor.specials == 0) {
    if (static_cast<std::size_t>(end_ - cursor.block) <= scan_block_bytes) return end_;
    cursor.block += scan_block_bytes;
    load(cursor);
  }
  const char* const found = cursor.block + std::countr_zero(cursor.specials);
  cursor.specials &= cursor.specials - 1;
  return found;
}

ScannedRecord RecordScanner::scan(std::span<std::string_view> out, TextArena& arena) {
  const char* const begin = at_;
  ScannedRecord record = scan_once(out, arena);
  if (jumped_ && record.end != ScannedRecord::End::unclosed && record.end != ScannedRecord::End::need_bytes) {
    // The quote is closed after all: read again, with every cell. What is read twice is taken now.
    dead_ = {};
    seek(begin);
    record = scan_once(out, arena);
  }
  if (record.end == ScannedRecord::End::complete) {
    at_ = record.next;  // the cursor already stands there
  } else {
    seek(record.end == ScannedRecord::End::need_bytes ? begin : record.next);
  }
  return record;
}

ScannedRecord RecordScanner::scan_once(std::span<std::string_view> out, TextArena& arena) {
  using End = ScannedRecord::End;
  ScannedRecord record;
  record.begin = at_;
  jumped_ = false;
  first_line_end_ = nullptr;
  Cursor cursor = cursor_;
  cursor.seen_not_ascii = cursor.block_not_ascii;
  const char delimiter = delimiter_;
  const bool limited = static_cast<std::size_t>(end_ - at_) > max_row_bytes_;
  const char* const window_end = limited ? at_ + max_row_bytes_ : end_;

  const char* cell_begin = at_;
  Quote quote;  // of the cell being read; closed once `close` is set
  std::uint32_t count = 0;
  const auto put_cell = [&](const char* cell_end) {
    if (count < out.size()) [[likely]] {
      if (quote.close == nullptr) [[likely]] {
        out[count] = between(cell_begin, cell_end);
      } else if (!quote.doubled && quote.close + 1 == cell_end) {
        out[count] = between(quote.open + 1, quote.close);
      } else {
        out[count] = unquote(quote.open, quote.close, cell_end, arena);
      }
    }
    quote.close = nullptr;
    ++count;
  };
  const auto complete = [&](const char* content_end, const char* next) {
    put_cell(content_end);
    record.end = End::complete;
    record.content_end = content_end;
    record.next = next;
    record.cells = count;
    record.maybe_not_ascii = cursor.seen_not_ascii;
    cursor_ = cursor;
  };

  for (;;) {
    const char* const at = next_special(cursor);
    if (at >= window_end) [[unlikely]]
      break;
    const char c = *at;
    if (c == delimiter) [[likely]] {
      put_cell(at);
      cell_begin = at + 1;
    } else if (c == '\n') {
      ++record.line_ends;
      complete(without_cr(record.begin, at), at + 1);
      return record;
    } else if (c == '\0') {
      record.nul_column = std::min(record.nul_column, count);
    } else if (at == cell_begin) {
      quote = {at, nullptr, false};
      record.cells = count;
      if (!read_quoted(cursor, window_end, quote, record)) {
        record.maybe_not_ascii = cursor.seen_not_ascii;
        end_in_quotes(record, quote, out);
        return record;
      }
    }  // any other quote is a character like others
  }

  record.maybe_not_ascii = cursor.seen_not_ascii;
  if (!limited) {
    if (whole_) complete(without_cr(record.begin, window_end), window_end);
    return record;
  }
  if (ends_after_limit(record, window_end)) {
    if (record.end == End::complete) {
      complete(window_end, record.next);
      seek(record.next);
    }
    return record;
  }
  record.blamed_column = count;
  put_cell(window_end);
  record.end = End::over_limit;
  record.cells = count;
  record.content_end = window_end;
  record.next = window_end;
  return record;
}

/// Reads on from an opening quote. False where the window ends first.
bool RecordScanner::read_quoted(Cursor& cursor, const char* window_end, Quote& quote, ScannedRecord& record) {
  for (;;) {
    const char* const at = next_special(cursor);
    if (at >= window_end) return false;
    if (*at == '"') {
      if (at + 1 == window_end || at[1] != '"') {
        quote.close = at;
        return true;
      }
      quote.doubled = true;
      next_special(cursor);
    } else if (*at == '\n') {
      ++record.line_ends;
      if (first_line_end_ == nullptr) {
        first_line_end_ = at;
        quote_there_ = quote.open;
        column_there_ = record.cells;
        jump_over_dead_run(cursor, at);
      }
    } else if (*at == '\0') {
      record.nul_column = std::min(record.nul_column, record.cells);
    }
  }
}

void RecordScanner::jump_over_dead_run(Cursor& cursor, const char* line_end) {
  const std::uint64_t offset = offset_ + static_cast<std::uint64_t>(line_end - begin_);
  if (offset < dead_.from || offset >= dead_.to) return;
  cursor.block = begin_ + (dead_.to - offset_);
  load(cursor);
  jumped_ = true;
}

/// The window ended inside quotes: at the limit, at the end of the file, or for want of bytes.
void RecordScanner::end_in_quotes(ScannedRecord& record, const Quote& quote, std::span<std::string_view> out) {
  using End = ScannedRecord::End;
  const bool limited = static_cast<std::size_t>(end_ - record.begin) > max_row_bytes_;
  const char* const window_end = limited ? record.begin + max_row_bytes_ : end_;
  if (first_line_end_ != nullptr) {
    if (!jumped_) dead_.from = offset_ + static_cast<std::uint64_t>(first_line_end_ - begin_);
    dead_.to = offset_ + static_cast<std::uint64_t>(window_end - begin_);
  }
  if (!limited && !whole_) return;
  const char* open = quote.open;
  if (first_line_end_ != nullptr) {
    // Another quote may have been closed and this one opened on later lines: those are read again as rows.
    open = quote_there_;
    record.end = End::unclosed;
    record.cells = column_there_;
    record.content_end = without_cr(open + 1, first_line_end_);
    record.next = first_line_end_ + 1;
    record.line_ends = 1;
  } else {
    record.end = limited ? End::over_limit : End::unclosed;
    record.content_end = limited ? window_end : without_cr(open + 1, window_end);
    record.next = window_end;
  }
  record.blamed_column = record.cells;
  if (record.cells < out.size()) out[record.cells] = between(open + 1, record.content_end);
  ++record.cells;
}

/// Whether the record's line end stands right after the limit, or may: `record.end` is complete or need_bytes.
bool RecordScanner::ends_after_limit(ScannedRecord& record, const char* limit) const {
  const char* line_feed = limit;  // there is a byte: the text goes on after the limit
  if (*line_feed == '\r') {
    ++line_feed;
    if (line_feed == end_) {
      if (!whole_) return true;
      record.end = ScannedRecord::End::complete;
      record.next = end_;
      return true;
    }
  }
  if (*line_feed != '\n') return false;
  record.end = ScannedRecord::End::complete;
  record.next = line_feed + 1;
  ++record.line_ends;
  return true;
}

}  // namespace dropscore::table
