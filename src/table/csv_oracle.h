// The reader's rules once more, a byte at a time over a text held whole, with no thought for speed: what the property
// tests hold the reader against. For texts without byte order mark, whose delimiter is a comma.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "table/cells.h"
#include "table/csv_test_util.h"
#include "table/encoding.h"

namespace dropscore::table::testing {

class CsvOracle {
 public:
  CsvOracle(std::string_view text, std::size_t max_row_bytes) : text_(text), max_(max_row_bytes) {}

  /// Empty where there is no readable header.
  std::vector<ReadRow> rows() {
    std::vector<ReadRow> out;
    Record head;
    do {
      if (at_ == text_.size()) return out;
      head = take();
    } while (head.blank);
    if (head.fault != RowFault::none || head.nul_cell != none) return out;
    if (decode(head) != none) return out;
    columns_ = head.cells.size();
    while (at_ < text_.size()) {
      const std::uint64_t line = line_;
      Record record = take();
      if (record.blank) continue;
      out.push_back(judged(record, line, out.size()));
    }
    return out;
  }

 private:
  static constexpr std::size_t none = std::string::npos;
  struct Record {
    std::string raw;
    std::vector<std::string> cells;
    RowFault fault = RowFault::none;
    std::size_t nul_cell = none;
    bool blank = false;
  };

  ReadRow judged(Record& record, std::uint64_t line, std::size_t number) {
    ReadRow row{line, number, {}, {}, record.fault, 0};
    const std::size_t blamed = record.cells.size() - 1;
    const std::size_t bad = decode(record);
    if (record.fault != RowFault::none) {
      row.fault_column = column(blamed);
    } else if (record.nul_cell != none) {
      row.fault = RowFault::nul_byte;
      row.fault_column = column(record.nul_cell);
    } else if (bad != none) {
      row.fault = RowFault::not_text;
      row.fault_column = column(bad);
    } else if (record.cells.size() != columns_) {
      row.fault = record.cells.size() < columns_ ? RowFault::too_few_cells : RowFault::too_many_cells;
      row.fault_column = column(record.cells.size());
    }
    if (record.cells.size() > columns_ + 1) record.cells.resize(columns_ + 1);
    row.raw = record.raw;
    row.cells = record.cells;
    return row;
  }

  std::uint32_t column(std::size_t cell) const { return static_cast<std::uint32_t>(std::min(cell, columns_)); }

  /// One record, or the part of it that is refused; `at_` and `line_` go behind it.
  Record take() {
    Record record;
    const std::size_t begin = at_;
    std::size_t first_line_end = none;
    std::size_t quote_at = none;
    std::size_t quote_there = none;  // the one that is open at the first line's end
    std::size_t cells_there = 0;
    bool quoted = false;
    std::string cell;
    std::size_t i = begin;
    for (;; ++i) {
      const bool over = i - begin == max_ && i < text_.size();
      if (over || i == text_.size()) {
        if (!quoted && (!over || text_[i] == '\n' || text_.substr(i, 2) == "\r\n" || text_.substr(i) == "\r")) {
          record.cells.push_back(cell);
          if (!over) strip(record, begin, i);
          if (over) record.raw = text_.substr(begin, max_);
          const std::size_t feed = std::min(text_.find('\n', i), text_.size());
          line_ += feed < text_.size() ? 1U : 0U;
          at_ = std::min(feed + 1, text_.size());
          if (!over) at_ = text_.size();
          count_lines(begin, i);
          record.blank = record.raw.empty();
          return record;
        }
        if (quoted && (first_line_end != none || !over)) {
          if (first_line_end != none) {
            quote_at = quote_there;
            record.cells.resize(cells_there);
          }
          const std::size_t stop = std::min(first_line_end, text_.size());
          std::size_t content = stop;
          if (content > quote_at + 1 && text_[content - 1] == '\r') --content;
          record.raw = text_.substr(begin, content - begin);
          record.cells.emplace_back(text_.substr(quote_at + 1, content - quote_at - 1));
          record.fault = RowFault::unclosed_quote;
          at_ = std::min(stop + 1, text_.size());
          line_ += first_line_end != none ? 1U : 0U;
          return record;
        }
        record.raw = text_.substr(begin, max_);
        record.cells.push_back(quoted ? std::string(text_.substr(quote_at + 1, i - quote_at - 1)) : cell);
        record.fault = RowFault::row_too_long;
        count_lines(begin, i);
        const std::size_t feed = text_.find('\n', i);
        line_ += feed != none ? 1U : 0U;
        at_ = feed == none ? text_.size() : feed + 1;
        return record;
      }
      const char c = text_[i];
      if (c == '\0' && record.nul_cell == none) record.nul_cell = record.cells.size();
      if (quoted) {
        if (c == '\n' && first_line_end == none) {
          first_line_end = i;
          quote_there = quote_at;
          cells_there = record.cells.size();
        }
        if (c != '"') {
          cell += c;
        } else if (i + 1 < text_.size() && i + 1 - begin < max_ && text_[i + 1] == '"') {
          cell += c;
          ++i;
        } else {
          quoted = false;
        }
      } else if (c == '"' && (i == begin || (text_[i - 1] == ',' && cell_start_ == i))) {
        quoted = true;
        quote_at = i;
      } else if (c == ',') {
        record.cells.push_back(cell);
        cell.clear();
        cell_start_ = i + 1;
      } else if (c == '\n') {
        record.cells.push_back(cell);
        strip(record, begin, i);
        count_lines(begin, i + 1);
        at_ = i + 1;
        record.blank = record.raw.empty();
        return record;
      } else {
        cell += c;
      }
    }
  }

  /// The raw text up to `end`, without a CR that stands last.
  void strip(Record& record, std::size_t begin, std::size_t end) {
    if (end > begin && text_[end - 1] == '\r') {
      --end;
      record.cells.back().pop_back();
    }
    record.raw = text_.substr(begin, end - begin);
  }

  void count_lines(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) line_ += text_[i] == '\n' ? 1U : 0U;
  }

  /// The first cell that is no text; one past the last where only the row is not; `none` where all are, or where the
  /// record is cut.
  std::size_t decode(Record& record) {
    const bool whole = record.fault == RowFault::none;
    if (whole && !decided_ && !is_ascii(record.raw)) {
      windows_ = !is_utf8(record.raw) && is_windows_1252(record.raw);
      decided_ = windows_ || is_utf8(record.raw);
    }
    const auto is_text = [this](std::string_view s) { return windows_ ? is_windows_1252(s) : is_utf8(s); };
    std::size_t bad = none;
    for (std::size_t i = 0; i < record.cells.size() && whole; ++i) {
      if (!is_text(record.cells[i]) && bad == none) bad = i;
    }
    // Bytes that a quote stood between may make a character once it is gone: the row as it stands decides.
    if (whole && bad == none && !is_text(record.raw)) bad = record.cells.size();
    TextArena arena;
    const auto convert = [&](std::string& s) {
      s = std::string(windows_ ? windows_1252_to_utf8(s, arena) : repair_utf8(s, arena));
    };
    convert(record.raw);
    for (std::string& cell : record.cells) convert(cell);
    return bad;
  }

  std::string_view text_;
  std::size_t max_;
  std::size_t at_ = 0;
  std::size_t cell_start_ = none;
  std::uint64_t line_ = 1;
  std::size_t columns_ = 0;
  bool decided_ = false;
  bool windows_ = false;
};

}  // namespace dropscore::table::testing
