// What is wrong with one scanned record, if anything: shared by all that make rows of records.
#pragma once

#include <span>
#include <string_view>

#include "table/csv_reader.h"
#include "table/record_scanner.h"
#include "table/row_decoder.h"
#include "table/text_arena.h"

namespace dropscore::table {

/// Turns the row's text and cells into UTF-8 and sets its fault. `columns` is the header's size.
/// REQUIRES: row.raw is the record's content, `cells` its first cells, at most columns + 1.
void judge_row(Row& row, const ScannedRecord& scanned, std::span<std::string_view> cells, std::uint32_t columns,
               RowDecoder& decoder, TextArena& arena);

}  // namespace dropscore::table
