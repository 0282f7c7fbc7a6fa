// A streaming CSV reader: bytes in, batches of rows out. It does no I/O of its own, so that a file, a blob and an HTTP
// body are read by the same code; a caller moves bytes:
//
//   CsvReader reader(options);
//   for (;;) {
//     DROPSCORE_TRY(CsvReader::Step step, reader.next(batch));
//     if (step == CsvReader::Step::batch) use(batch);           // views into the reader, valid until the next call
//     else if (step == CsvReader::Step::end) break;
//     else {                                                    // needs bytes
//       std::span<char> room = reader.room();
//       DROPSCORE_TRY(std::size_t got, source.read(room));
//       if (got == 0) reader.finish(); else reader.commit(got);
//     }
//   }
//
// Format: RFC 4180 with LF or CRLF, quoted cells that may hold line ends, comma, semicolon or tab found by itself,
// UTF-8 (with or without BOM), UTF-16 with BOM and Windows-1252. docs/formats/csv.md says all of it.
// Memory: bounded by a few times `max_row_bytes` + a chunk, whatever the file's size. Time: linear, whatever it holds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "table/row_error.h"

namespace dropscore::table {

struct CsvOptions {
  std::size_t max_row_bytes = limits::max_row_bytes;  ///< a longer record is refused, the reading goes on after it
  std::size_t max_columns = limits::max_columns;
  std::size_t chunk_bytes = limits::read_chunk_bytes;  ///< least size of room()
  std::size_t max_batch_rows = 2048;
  Status validate() const;
};

enum class Encoding : std::uint8_t { utf8, utf16_little, utf16_big, windows_1252 };
std::string_view name(Encoding encoding);  ///< "UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"

/// What the reader found out about the file. Known once the header is; `encoding` may turn from utf8 to windows_1252
/// at the first record that holds more than ASCII.
struct Dialect {
  char delimiter = ',';
  bool decimal_comma = false;  ///< semicolon and tab files may write 3,14
  bool crlf = false;           ///< the header line ends in CR LF
  bool bom = false;            ///< the file starts with a byte order mark
  Encoding encoding = Encoding::utf8;
};

struct Row {
  std::uint64_t line = 0;    ///< physical line where the record starts; the file's first line is 1
  std::uint64_t record = 0;  ///< 0-based count of records, refused ones included
  std::string_view raw;      ///< the record's text without its line end; row_too_long: cut at max_row_bytes;
                             ///< unclosed_quote: the first physical line, as the lines after it are read as rows
  std::uint32_t first_cell = 0;
  std::uint32_t cell_count = 0;
  RowFault fault = RowFault::none;
  std::uint32_t fault_column = 0;  ///< with a fault: the 0-based column to blame; >= the header's size for none
};

/// Rows and their cells, unquoted. All views belong to the reader and live until its next call; all are valid UTF-8:
/// where a refused row's bytes are not, U+FFFD stands for them.
/// A row without a fault has as many cells as the header; one with a fault has any number up to one more (the first
/// surplus cell), and the blamed cell among them where there is one to show.
struct Batch {
  std::vector<Row> rows;
  std::vector<std::string_view> cells;

  std::string_view cell(const Row& row, std::size_t column) const { return cells[row.first_cell + column]; }
};

/// Adds a row with a fault to `errors`, with the name and the text of the cell to blame.
void add_error(RowErrors& errors, const Batch& batch, const Row& row, std::span<const std::string> header);

struct Segment;
struct TextBlock;

/// Not thread-safe; movable.
class CsvReader {
 public:
  enum class Step : std::uint8_t { batch, segment, need_bytes, end };

  /// REQUIRES: options.validate() is ok.
  explicit CsvReader(const CsvOptions& options = {});
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;
  ~CsvReader();

  /// Where the next bytes go; at least options.chunk_bytes. Invalidates every view into the reader.
  /// To be called when next() needs bytes: whoever fills room after room without asking for rows holds them all.
  std::span<char> room();
  /// The first `count` bytes of the latest room() were filled. Once for each room().
  void commit(std::size_t count);
  /// There are no more bytes.
  void finish();

  /// The next rows. `batch` is never empty when the step is `batch`; give the same one again, to reuse its memory.
  /// Rows and errors depend on the bytes alone, never on how they were cut into rooms; which rows share a batch may.
  /// Errors, all of kind `reject` and for the customer: an empty file, no header, not text, a spreadsheet or archive
  /// ("save it as CSV"), too many columns, a header line over max_row_bytes. After an error the reader is done and says
  /// the same again.
  Result<Step> next(Batch& batch);

  /// The same for who reads rows elsewhere (table/segment.h), on other threads even: as much text as holds whole
  /// records is found, but not read, and is handed out as a segment; only rows that cannot be told without what comes
  /// after them come as a batch, a few at a time. Both together are the rows of next(batch), in order; the two may be
  /// mixed. The segment's text lives until the next call, unless it is kept.
  Result<Step> next(Batch& batch, Segment& segment);
  /// Lets the text of the segment that was just handed out live in `block`, whose content is lost.
  void keep(Segment& segment, TextBlock& block);

  /// The header's names, trimmed; empty until known. A last empty name made by a trailing delimiter is kept.
  const std::vector<std::string>& header() const;
  /// The header line as it stood, in UTF-8, without its line end.
  std::string_view raw_header() const;
  const Dialect& dialect() const;
  std::uint64_t bytes_read() const;
  /// Sentences for a log or a report: "read as Windows-1252", ...
  std::vector<std::string> notes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dropscore::table
