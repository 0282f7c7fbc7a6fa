// Cells -> CSV text (RFC 4180), such that CsvReader reads the same cells back.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dropscore::table {

/// Appends one cell, quoted only where it has to be (delimiter, quote, CR, LF, spaces at an end, a byte order
/// mark in front).
void append_csv_cell(std::string& out, std::string_view cell, char delimiter);

/// Appends a record and `line_end`. A record of one empty cell is written "" so that it is no blank line.
void append_csv_record(std::string& out, std::span<const std::string_view> cells, char delimiter,
                       std::string_view line_end = "\n");

}  // namespace dropscore::table
