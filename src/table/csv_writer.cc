#include "table/csv_writer.h"

#include "base/utf8.h"

namespace dropscore::table {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool needs_quotes(std::string_view cell, char delimiter) {
  if (cell.empty()) return false;
  // Spaces at an end survive our reader unquoted, but not every spreadsheet.
  if (is_blank(cell.front()) || is_blank(cell.back())) return true;
  // At the start of a file it would be taken for the file's own mark.
  if (cell.starts_with(utf8_bom)) return true;
  for (const char c : cell) {
    if (c == delimiter || c == '"' || c == '\n' || c == '\r') return true;
  }
  return false;
}

}  // namespace

void append_csv_cell(std::string& out, std::string_view cell, char delimiter) {
  if (!needs_quotes(cell, delimiter)) {
    out.append(cell);
    return;
  }
  out.push_back('"');
  for (std::size_t at = 0;;) {
    const std::size_t quote = cell.find('"', at);
    if (quote == std::string_view::npos) {
      out.append(cell.substr(at));
      break;
    }
    out.append(cell.substr(at, quote + 1 - at));
    out.push_back('"');
    at = quote + 1;
  }
  out.push_back('"');
}

void append_csv_record(std::string& out, std::span<const std::string_view> cells, char delimiter,
                       std::string_view line_end) {
  if (cells.size() == 1 && cells[0].empty()) {
    out.append("\"\"");
  } else {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out.push_back(delimiter);
      append_csv_cell(out, cells[i], delimiter);
    }
  }
  out.append(line_end);
}

}  // namespace dropscore::table
