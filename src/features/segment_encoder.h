// A CSV's text -> the feature matrix, without a row or a cell in between where the text is plain: the way of scoring.
// What is not plain (quotes, blanks, exponents, faults, other alphabets) goes cell by cell through RowEncoder, whose
// answers both give.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/category_index.h"
#include "features/encoder.h"
#include "features/matrix.h"
#include "table/csv_reader.h"
#include "table/segment.h"
#include "table/text_index.h"

namespace dropscore::features {

/// A row that was read: its text, and whether it is in the matrix.
struct EncodedRow {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::string_view raw;      ///< as table::Row::raw
  std::uint64_t record = 0;  ///< as table::Row::record
  table::RowFault fault = table::RowFault::none;
  std::uint32_t read_row = none;  ///< its place among EncodedRows::read, always there with a fault
};

/// Those without a fault are the matrix's rows, in order.
struct EncodedRows {
  std::vector<EncodedRow> rows;
  table::Batch read;  ///< rows that were read cell by cell
};

/// Not thread-safe; each thread has its own. The schema must outlive it.
class SegmentEncoder {
 public:
  /// For a file whose header is known. Errors as bind_columns.
  static Result<SegmentEncoder> bind(const schema::Schema& schema, std::span<const std::string> header,
                                     const table::Dialect& dialect, const table::CsvOptions& options);

  /// The text to read from now on; it must stay until all was read.
  void open(const table::Segment& segment);

  /// Reads up to `most_rows` rows. False: there are none left. What was read before is void.
  /// Instantiated for float and double.
  template <class T>
  bool next(std::size_t most_rows, Matrix<T>& matrix, EncodedRows& out, table::RowErrors& errors);

  /// The same for rows that the reader has read, in out.read.
  template <class T>
  void encode_read(Matrix<T>& matrix, EncodedRows& out, table::RowErrors& errors) const;

 private:
  /// Where a feature is found, and how it is read.
  struct Column {
    std::uint32_t place = 0;
    bool categorical = false;
    bool missing_allowed = false;
    CategoryIndex categories;
  };
  /// A line of the index: its cells end at ends[0] ... ends[columns - 1]; ends[-1] is before it.
  struct Line {
    const std::uint32_t* ends = nullptr;
    const char* content_end = nullptr;
  };

  SegmentEncoder(const schema::Schema& schema, RowEncoder rows, std::size_t header_size, const table::Dialect& dialect,
                 const table::CsvOptions& options);

  void load_window();
  bool find_line(Line& line);
  template <class T>
  bool read_plain(const Line& line, std::span<T> out) const;
  template <class T>
  bool read_cell(const Column& column, const char* begin, const char* end, T& out) const;
  template <class T>
  bool read_other(const Column& column, const char* begin, const char* end, T& out) const;
  template <class T>
  bool read_slowly(Matrix<T>& matrix, std::size_t scored, EncodedRows& out, table::RowErrors& errors);
  void skip_to_place();

  RowEncoder rows_;
  std::vector<Column> columns_;
  std::size_t header_size_;
  std::size_t max_row_bytes_;
  char delimiter_;
  bool decimal_comma_;
  table::SegmentReader reader_;
  table::TextIndex index_;

  const char* at_ = nullptr;      // where the next record begins
  const char* end_ = nullptr;     // of the segment
  const char* window_ = nullptr;  // what index_ speaks of
  std::size_t next_line_ = 0;     // of index_.line_ends()
  std::size_t next_odd_ = 0;      // the first odd byte from at_ on, within the window
  std::uint64_t line_ = 0;
  std::uint64_t record_ = 0;
};

}  // namespace dropscore::features
