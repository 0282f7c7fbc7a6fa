#include "table/row_judge.h"

#include <algorithm>

namespace dropscore::table {

void judge_row(Row& row, const ScannedRecord& scanned, std::span<std::string_view> cells, std::uint32_t columns,
               RowDecoder& decoder, TextArena& arena) {
  using End = ScannedRecord::End;
  const auto blame = [&row, columns](RowFault fault, std::uint32_t column) {
    row.fault = fault;
    row.fault_column = std::min(column, columns);
  };
  if (scanned.end != End::complete) {
    decoder.decode_cut(row.raw, cells, arena);
    blame(scanned.end == End::unclosed ? RowFault::unclosed_quote : RowFault::row_too_long, scanned.blamed_column);
    return;
  }
  bool is_text = true;
  std::uint32_t bad_column = 0;
  if (scanned.maybe_not_ascii) [[unlikely]]
    is_text = decoder.decode(row.raw, cells, bad_column, arena);
  if (scanned.nul_column != no_column) {
    blame(RowFault::nul_byte, scanned.nul_column);
  } else if (!is_text) {
    blame(RowFault::not_text, bad_column);
  } else if (scanned.cells < columns) {
    blame(RowFault::too_few_cells, scanned.cells);
  } else if (scanned.cells > columns) {
    blame(RowFault::too_many_cells, columns);
  }
}

}  // namespace dropscore::table
