// A stretch of a CSV file's text that can be read by itself, on any thread: whole records, and what has to be known of
// the file before them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "table/csv_reader.h"
#include "table/record_scanner.h"
#include "table/row_decoder.h"
#include "table/text_arena.h"

namespace dropscore::table {

/// Made by CsvReader::next. Every record ends in a line feed, none is cut short by an unclosed quote; a record over the
/// limit holds no line end but its own.
struct Segment {
  std::string_view text;     ///< text_padding readable bytes around it
  std::uint64_t line = 0;    ///< physical line of its first byte
  std::uint64_t record = 0;  ///< count of records before it
  RowDecoder decoder;        ///< as the file's records before it left it; decided where the text is not ASCII
};

/// Reads records of segments one by one, exactly as CsvReader does. Not thread-safe; movable.
class SegmentReader {
 public:
  /// The limits that the segments' CsvReader has, and what it found out. `columns` is the header's size.
  SegmentReader(const CsvOptions& options, char delimiter, std::size_t columns)
      : scanner_(delimiter, options.max_row_bytes), columns_(static_cast<std::uint32_t>(columns)) {}

  void open(const Segment& segment);

  struct Step {
    const char* next = nullptr;   ///< where the next record begins
    std::uint64_t line_ends = 0;  ///< up to there
    bool blank = false;           ///< a line without content: no row
  };
  /// Appends the record that begins at `place` to `batch`, unless it is blank. REQUIRES: `place` is not at the end.
  Step read(const char* place, std::uint64_t line, std::uint64_t record, Batch& batch);

  /// Voids the rows read so far: their memory is used again.
  void clear() { arena_.clear(); }

 private:
  RecordScanner scanner_;
  RowDecoder decoder_;
  TextArena arena_;
  std::uint32_t columns_;
};

}  // namespace dropscore::table
