// What goes with the reader: its options, names and errors.
#include "table/csv_reader.h"

namespace dropscore::table {
namespace {

// Sums of a few row limits must not overflow, nor must a count of cells.
constexpr std::size_t most_row_bytes = std::size_t{1} << 30U;

}  // namespace

Status CsvOptions::validate() const {
  const auto within = [](std::size_t value, std::size_t most) { return value > 0 && value <= most; };
  if (!within(max_row_bytes, most_row_bytes)) return fail(ErrorKind::misuse, "max_row_bytes must be 1 to 1073741824");
  if (!within(max_columns, most_row_bytes)) return fail(ErrorKind::misuse, "max_columns must be 1 to 1073741824");
  if (!within(chunk_bytes, most_row_bytes)) return fail(ErrorKind::misuse, "chunk_bytes must be 1 to 1073741824");
  if (max_batch_rows == 0) return fail(ErrorKind::misuse, "max_batch_rows must be at least 1");
  return {};
}

std::string_view name(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8: return "UTF-8";
    case Encoding::utf16_little: return "UTF-16LE";
    case Encoding::utf16_big: return "UTF-16BE";
    case Encoding::windows_1252: return "Windows-1252";
  }
  return "";
}

void add_error(RowErrors& errors, const Batch& batch, const Row& row, std::span<const std::string> header) {
  const std::size_t column = row.fault_column;
  errors.add(row.line, column < header.size() ? std::string_view(header[column]) : std::string_view(),
             column < row.cell_count ? batch.cell(row, column) : std::string_view(), row.fault);
}

}  // namespace dropscore::table
