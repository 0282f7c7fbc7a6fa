// A whole table in memory, by column: what training works on. Scoring never builds one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "table/csv_reader.h"

namespace dropscore::table {

/// Cells as trimmed text, by column. Owns all text. Immutable once read: safe to share between threads.
class Frame {
 public:
  /// Reads everything; rows with a structural fault are left out and listed in `errors`.
  /// Errors: as CsvReader::next and ByteSource::read; `misuse` for options that are not valid.
  static Result<Frame> read(ByteSource& source, RowErrors& errors, const CsvOptions& options = {});

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string_view>& column(std::size_t index) const { return cells_[index]; }
  std::string_view cell(std::size_t row, std::size_t column) const { return cells_[column][row]; }
  /// Physical line of each row.
  const std::vector<std::uint64_t>& lines() const { return lines_; }
  bool decimal_comma() const { return decimal_comma_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<std::string_view>> cells_;
  std::vector<std::uint64_t> lines_;
  std::vector<std::unique_ptr<char[]>> text_;
  std::vector<std::string> notes_;
  std::size_t rows_ = 0;
  bool decimal_comma_ = false;
};

}  // namespace dropscore::table
