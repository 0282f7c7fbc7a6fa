// For the tests of this room: a whole text through the reader, cut as the test likes.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "table/csv_reader.h"
#include "table/segment.h"
#include "table/text_buffer.h"

namespace dropscore::table::testing {

struct ReadRow {
  std::uint64_t line = 0;
  std::uint64_t record = 0;
  std::string raw;
  std::vector<std::string> cells;
  RowFault fault = RowFault::none;
  std::uint32_t fault_column = 0;
  bool operator==(const ReadRow&) const = default;
};

struct ReadFile {
  std::string error;  // the customer's sentence; empty for none
  std::vector<std::string> header;
  std::string raw_header;
  Dialect dialect;
  std::vector<std::string> notes;
  std::vector<ReadRow> rows;
};

inline void append(ReadFile& file, const Batch& batch) {
  for (const Row& row : batch.rows) {
    ReadRow& out = file.rows.emplace_back();
    out.line = row.line;
    out.record = row.record;
    out.raw = row.raw;
    for (std::uint32_t i = 0; i < row.cell_count; ++i) out.cells.emplace_back(batch.cell(row, i));
    out.fault = row.fault;
    out.fault_column = row.fault_column;
  }
}

/// The rows of a segment, read one by one.
inline void append(ReadFile& file, const Segment& segment, const CsvOptions& options, const CsvReader& reader) {
  SegmentReader rows(options, reader.dialect().delimiter, reader.header().size());
  rows.open(segment);
  Batch batch;
  std::uint64_t line = segment.line;
  std::uint64_t record = segment.record;
  const char* at = segment.text.data();
  while (at != segment.text.data() + segment.text.size()) {
    const SegmentReader::Step step = rows.read(at, line, record, batch);
    at = step.next;
    line += step.line_ends;
    record += step.blank ? 0 : 1;
  }
  append(file, batch);
}

enum class By : std::uint8_t { batches, segments, kept_segments };

/// `next_cut(most)` says how many bytes to commit next, 1 to `most`.
inline ReadFile read_text(std::string_view text, const CsvOptions& options,
                          const std::function<std::size_t(std::size_t)>& next_cut, By by = By::batches) {
  ReadFile file;
  CsvReader reader(options);
  Batch batch;
  Segment segment;
  TextBlock block;
  for (;;) {
    const auto step = by == By::batches ? reader.next(batch) : reader.next(batch, segment);
    if (!step) {
      file.error = step.error().customer.text;
      break;
    }
    if (*step == CsvReader::Step::end) break;
    if (*step == CsvReader::Step::need_bytes) {
      const std::span<char> room = reader.room();
      if (text.empty()) {
        reader.finish();
        continue;
      }
      const std::size_t count = next_cut(std::min(room.size(), text.size()));
      std::copy_n(text.data(), count, room.data());
      text.remove_prefix(count);
      reader.commit(count);
      continue;
    }
    if (*step == CsvReader::Step::segment) {
      if (by == By::kept_segments) reader.keep(segment, block);
      append(file, segment, options, reader);
    } else {
      append(file, batch);
    }
  }
  file.header = reader.header();
  file.raw_header = reader.raw_header();
  file.dialect = reader.dialect();
  file.notes = reader.notes();
  return file;
}

inline ReadFile read_text(std::string_view text, const CsvOptions& options = {}) {
  return read_text(text, options, [](std::size_t most) { return most; });
}

}  // namespace dropscore::table::testing
