#include "table/segment.h"

#include <algorithm>
#include <cstring>

#include "table/row_judge.h"

namespace dropscore::table {

void SegmentReader::open(const Segment& segment) {
  scanner_.open(segment.text, 0, false);
  decoder_ = segment.decoder;
}

SegmentReader::Step SegmentReader::read(const char* place, std::uint64_t line, std::uint64_t record, Batch& batch) {
  scanner_.seek(place);
  const std::size_t first_cell = batch.cells.size();
  batch.cells.resize(first_cell + columns_ + 1);
  const ScannedRecord scanned = scanner_.scan(std::span(batch.cells).subspan(first_cell), arena_);
  Step step{scanned.next, scanned.line_ends, scanned.content_end == scanned.begin};
  if (scanned.end == ScannedRecord::End::over_limit) {
    const auto left = static_cast<std::size_t>(scanner_.end() - scanned.next);
    step.next = static_cast<const char*>(std::memchr(scanned.next, '\n', left)) + 1;
    ++step.line_ends;
  }
  if (step.blank) {
    batch.cells.resize(first_cell);
    return step;
  }
  Row& row = batch.rows.emplace_back();
  row.line = line;
  row.record = record;
  row.raw = scanned.content();
  row.first_cell = static_cast<std::uint32_t>(first_cell);
  row.cell_count = std::min(scanned.cells, columns_ + 1);
  batch.cells.resize(first_cell + row.cell_count);
  judge_row(row, scanned, std::span(batch.cells).subspan(first_cell), columns_, decoder_, arena_);
  return step;
}

}  // namespace dropscore::table
