#include "table/csv_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "table/cells.h"
#include "table/dialect.h"
#include "table/record_scanner.h"
#include "table/row_decoder.h"
#include "table/row_judge.h"
#include "table/segment.h"
#include "table/text_arena.h"
#include "table/text_buffer.h"
#include "table/text_index.h"

namespace dropscore::table {
namespace {

using End = ScannedRecord::End;

// A batch also ends here, so that a wide file's batches are no larger than the processor's caches like.
constexpr std::size_t max_batch_cells = std::size_t{128} * 1024;
constexpr std::size_t cells_ahead = 1024;
// Rows that no segment takes are read here while others wait.
constexpr std::size_t max_odd_rows = 64;
// A segment with quotes ends here, so that many threads share them.
constexpr std::size_t quoted_stretch_bytes = 128 * limits::kib;
tl::unexpected<Error> refuse(std::string_view sentence) { return fail(ErrorKind::reject, std::string(sentence)); }

tl::unexpected<Error> not_text() {
  return refuse(
      "This file is not text: its header line holds bytes that are neither UTF-8, UTF-16 nor Windows-1252. Save it as "
      "CSV in UTF-8.");
}

}  // namespace

struct CsvReader::State {
  enum class Phase : std::uint8_t { signature, separator_line, header, rows, done };

  explicit State(const CsvOptions& given) : options(given) {}

  using Step = CsvReader::Step;

  // Each takes what it can from the buffer. False: bytes are wanted.
  Result<bool> advance();
  Result<bool> read_signature();
  Result<bool> read_separator_line();
  Result<bool> read_header();
  Result<bool> take_header(const ScannedRecord& record, std::vector<std::string_view>& cells);
  bool skip_blank_lines();
  bool skip_rest_of_line();
  Status begin_step(Batch& batch);
  Step end_step(Batch& batch);
  bool frame(Segment& segment);
  void frame_quoted(PlainLines& found);
  void take_framed();
  bool may_read_rows() const { return phase == Phase::rows && buffer.text().size() >= wanted_bytes; }
  void read_rows(Batch& batch, std::size_t most_rows);
  void put_row(Batch& batch, const ScannedRecord& record, std::size_t first_cell);
  void note_encoding();
  void want_more();

  const CsvOptions options;
  TextBuffer buffer;
  TextArena arena;
  RowDecoder decoder;
  std::optional<RecordScanner> scanner;
  Phase phase = Phase::signature;
  bool delimiter_known = false;
  bool skipping_line = false;    // the rest of a row over the limit
  std::size_t framed_bytes = 0;  // of a segment that was handed out and still lies in the buffer
  std::size_t wanted_bytes = 0;  // it is no use to look before as many bytes wait
  std::uint64_t line = 1;        // physical line of what is read next
  std::uint64_t record = 0;
  std::uint64_t bytes_read = 0;
  std::vector<std::string> header;
  std::string raw_header;
  Dialect dialect;
  std::vector<std::string> notes;
  std::optional<Error> error;
};

/// A record that is not whole yet is read again only once a good part has come to it: reading it at every byte would
/// take quadratic time. At max_row_bytes and a line end it is whole or over the limit.
void CsvReader::State::want_more() {
  const std::size_t waiting = buffer.text().size();
  wanted_bytes = std::max(waiting + 1, std::min(waiting + waiting / 4 + 1, options.max_row_bytes + 2));
}

Result<bool> CsvReader::State::advance() {
  for (;;) {
    if (!buffer.finished() && buffer.text().size() < wanted_bytes) return false;
    wanted_bytes = 0;
    Result<bool> went_on = true;
    switch (phase) {
      case Phase::signature: went_on = read_signature(); break;
      case Phase::separator_line: went_on = read_separator_line(); break;
      case Phase::header: went_on = read_header(); break;
      case Phase::rows:
      case Phase::done: return true;
    }
    if (!went_on || !*went_on) return went_on;
  }
}

Result<bool> CsvReader::State::read_signature() {
  const std::string_view front = buffer.text();
  if (front.size() < signature_bytes && !buffer.finished()) return false;
  if (const std::string_view sentence = refuse_by_signature(front); !sentence.empty()) return refuse(sentence);
  const ByteOrderMark mark = byte_order_mark(front);
  buffer.take(size_of(mark));
  dialect.bom = mark != ByteOrderMark::none;
  switch (mark) {
    case ByteOrderMark::none: break;
    case ByteOrderMark::utf8: decoder = RowDecoder(Encoding::utf8); break;
    case ByteOrderMark::utf16_little: decoder = RowDecoder(Encoding::utf16_little); break;
    case ByteOrderMark::utf16_big: decoder = RowDecoder(Encoding::utf16_big); break;
  }
  if (mark == ByteOrderMark::utf16_little || mark == ByteOrderMark::utf16_big) {
    buffer.decode_utf16(mark == ByteOrderMark::utf16_big);
    note_encoding();
  }
  phase = Phase::separator_line;
  return true;
}

/// False: a CR waits for what follows it, or nothing waits.
bool CsvReader::State::skip_blank_lines() {
  for (;;) {
    const std::string_view text = buffer.text();
    if (text.empty()) return false;
    if (text[0] == '\r' && text.size() == 1) {
      if (!buffer.finished()) return false;
      buffer.take(1);
    } else if (text[0] == '\n' || text.starts_with("\r\n")) {
      buffer.take(text[0] == '\n' ? 1 : 2);
      ++line;
    } else {
      return true;
    }
  }
}

Result<bool> CsvReader::State::read_separator_line() {
  if (!skip_blank_lines()) {
    if (!buffer.finished()) return false;
    return refuse("This file is empty. Send a CSV file whose first line holds the names of the columns.");
  }
  const SeparatorLine found = find_separator_line(buffer.text(), buffer.finished());
  if (found.found == SeparatorLine::Found::need_bytes) return false;
  if (found.found == SeparatorLine::Found::yes) {
    buffer.take(found.bytes);
    ++line;
    dialect.delimiter = found.delimiter;
    delimiter_known = true;
  }
  phase = Phase::header;
  return true;
}

Result<bool> CsvReader::State::read_header() {
  if (!skip_blank_lines()) {
    if (!buffer.finished()) return false;
    return refuse("This file has no header. Its first line must hold the names of the columns.");
  }
  const std::string_view text = buffer.text();
  if (!delimiter_known) {
    const std::size_t most = options.max_row_bytes + 2;
    const DelimiterGuess guess = guess_delimiter(text.substr(0, most));
    if (!guess.complete && text.size() < most && !buffer.finished()) {
      want_more();
      return false;
    }
    dialect.delimiter = guess.delimiter;
    delimiter_known = true;
  }
  dialect.decimal_comma = dialect.delimiter == ';' || dialect.delimiter == '\t';
  scanner.emplace(dialect.delimiter, options.max_row_bytes);
  scanner->open(text, buffer.offset(), buffer.finished());
  std::vector<std::string_view> cells(std::min(options.max_columns, text.size() + 1));
  const ScannedRecord scanned = scanner->scan(cells, arena);
  if (scanned.end == End::need_bytes) {
    want_more();
    return false;
  }
  return take_header(scanned, cells);
}

Result<bool> CsvReader::State::take_header(const ScannedRecord& scanned, std::vector<std::string_view>& cells) {
  if (scanned.nul_column != no_column) return not_text();
  if (scanned.end == End::over_limit) {
    return refuse("The header line is longer than " + std::to_string(options.max_row_bytes) +
                  " bytes. Is this a CSV file, with the names of the columns in its first line?");
  }
  if (scanned.end == End::unclosed) {
    return refuse("The header line opens a quote that is never closed. Close it, or take it out.");
  }
  if (scanned.cells > options.max_columns) {
    return refuse("The header has " + std::to_string(scanned.cells) + " columns; at most " +
                  std::to_string(options.max_columns) + " are read.");
  }
  cells.resize(scanned.cells);
  std::string_view raw = scanned.content();
  const bool no_line_feed = scanned.line_ends == 0;
  if (no_line_feed && raw.find('\r') != std::string_view::npos) {
    return refuse("The lines of this file end in CR alone. Save it with line ends of LF or CR LF.");
  }
  std::uint32_t bad_column = 0;
  if (!decoder.decode(raw, cells, bad_column, arena)) return not_text();
  for (const std::string_view cell : cells) header.emplace_back(trim(cell));
  if (std::all_of(header.begin(), header.end(), [](const std::string& column) { return column.empty(); })) {
    return refuse("This file has no header. Its first line must hold the names of the columns.");
  }
  raw_header = raw;
  dialect.crlf = scanned.next - scanned.content_end == 2;
  if (decoder.encoding() == Encoding::windows_1252) note_encoding();
  line += scanned.line_ends;
  buffer.take(static_cast<std::size_t>(scanned.next - buffer.text().data()));
  phase = Phase::rows;
  return true;
}

void CsvReader::State::note_encoding() {
  dialect.encoding = decoder.encoding();
  std::string note = "read as " + std::string(name(dialect.encoding));
  if (dialect.encoding == Encoding::windows_1252) {
    note += ": the text from line " + std::to_string(line) + " on is not UTF-8";
  }
  notes.push_back(std::move(note));
}

/// False: the line's end has not come yet.
bool CsvReader::State::skip_rest_of_line() {
  const std::string_view text = buffer.text();
  const std::size_t line_feed = text.find('\n');
  if (line_feed == std::string_view::npos) {
    buffer.take(text.size());
    return false;
  }
  buffer.take(line_feed + 1);
  ++line;
  skipping_line = false;
  return true;
}

/// Whole records at the front of the buffer. False: none that can be read without what comes after them.
bool CsvReader::State::frame(Segment& segment) {
  // Under 2 bytes, a line of CR LF would be over the limit and not blank.
  if (skipping_line || options.max_row_bytes < 2) return false;
  PlainLines found = find_plain_lines(buffer.text(), !decoder.decided());
  if (found.found_quote) frame_quoted(found);
  if (found.bytes == 0) return false;
  segment.text = buffer.text().substr(0, found.bytes);
  segment.line = line;
  segment.record = record;
  segment.decoder = decoder;
  line += found.lines;
  record += found.records;
  framed_bytes = found.bytes;
  return true;
}

/// Goes on with records that may hold quotes, one by one, as long as they are whole.
void CsvReader::State::frame_quoted(PlainLines& found) {
  const std::string_view text = buffer.text();
  scanner->open(text, buffer.offset(), buffer.finished());
  scanner->seek(text.data() + found.bytes);
  const std::size_t stop = std::min(text.size(), found.bytes + quoted_stretch_bytes);
  while (found.bytes < stop) {
    const ScannedRecord scanned = scanner->scan({}, arena);
    const bool whole = scanned.end == End::complete && scanned.next[-1] == '\n';
    if (!whole || (scanned.maybe_not_ascii && !decoder.decided())) return;
    found.bytes = static_cast<std::size_t>(scanned.next - text.data());
    found.lines += scanned.line_ends;
    if (scanned.content_end != scanned.begin) ++found.records;
  }
}

void CsvReader::State::take_framed() {
  buffer.take(framed_bytes);
  framed_bytes = 0;
}

void CsvReader::State::read_rows(Batch& batch, std::size_t most_rows) {
  const std::size_t row_cells = header.size() + 1;  // a surplus cell is kept, to be shown
  std::size_t used = 0;
  bool opened = false;
  while (batch.rows.size() < most_rows && used < max_batch_cells) {
    if (skipping_line) {
      if (!skip_rest_of_line()) break;
      opened = false;
    }
    if (!opened) scanner->open(buffer.text(), buffer.offset(), buffer.finished());
    opened = true;
    if (scanner->at() == scanner->end()) break;
    if (*scanner->at() == '\n') {
      const std::size_t blank_lines = scanner->skip_line_feeds();
      buffer.take(blank_lines);
      line += blank_lines;
      continue;
    }
    if (batch.cells.size() < used + row_cells) batch.cells.resize(used + row_cells + cells_ahead);
    const ScannedRecord scanned = scanner->scan({batch.cells.data() + used, row_cells}, arena);
    if (scanned.end == End::need_bytes) {
      want_more();
      break;
    }
    buffer.take(static_cast<std::size_t>(scanned.next - scanned.begin));
    if (scanned.content_end != scanned.begin) {
      put_row(batch, scanned, used);
      used += batch.rows.back().cell_count;
    }
    line += scanned.line_ends;
    skipping_line = scanned.end == End::over_limit;
  }
  batch.cells.resize(used);
}

void CsvReader::State::put_row(Batch& batch, const ScannedRecord& scanned, std::size_t first_cell) {
  Row& row = batch.rows.emplace_back();
  row.line = line;
  row.record = record++;
  row.raw = scanned.content();
  row.first_cell = static_cast<std::uint32_t>(first_cell);
  row.cell_count = std::min(scanned.cells, static_cast<std::uint32_t>(header.size() + 1));
  const std::span<std::string_view> cells{batch.cells.data() + first_cell, row.cell_count};
  judge_row(row, scanned, cells, static_cast<std::uint32_t>(header.size()), decoder, arena);
  if (decoder.encoding() != dialect.encoding) note_encoding();
}

CsvReader::CsvReader(const CsvOptions& options) : state_(std::make_unique<State>(options)) {}
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;
CsvReader::~CsvReader() = default;

std::span<char> CsvReader::room() {
  state_->take_framed();
  return state_->buffer.room(state_->options.chunk_bytes);
}

void CsvReader::commit(std::size_t count) {
  state_->bytes_read += count;
  state_->buffer.commit(count);
}

void CsvReader::finish() {
  state_->take_framed();
  state_->buffer.finish();
}

/// Comes as far as the rows, where the bytes do.
Status CsvReader::State::begin_step(Batch& batch) {
  batch.rows.clear();
  take_framed();
  if (error) return tl::unexpected<Error>(*error);
  arena.clear();
  const Result<bool> went_on = advance();
  if (went_on) return {};
  error = went_on.error();
  return tl::unexpected<Error>(*error);
}

CsvReader::Step CsvReader::State::end_step(Batch& batch) {
  if (!batch.rows.empty()) return Step::batch;
  batch.cells.clear();
  if (!buffer.finished()) return Step::need_bytes;
  phase = Phase::done;
  return Step::end;
}

Result<CsvReader::Step> CsvReader::next(Batch& batch) {
  DROPSCORE_CHECK(state_->begin_step(batch));
  if (state_->may_read_rows()) state_->read_rows(batch, state_->options.max_batch_rows);
  return state_->end_step(batch);
}

Result<CsvReader::Step> CsvReader::next(Batch& batch, Segment& segment) {
  DROPSCORE_CHECK(state_->begin_step(batch));
  if (state_->may_read_rows()) {
    if (state_->frame(segment)) return Step::segment;
    state_->read_rows(batch, std::min(max_odd_rows, state_->options.max_batch_rows));
  }
  return state_->end_step(batch);
}

void CsvReader::keep(Segment& segment, TextBlock& block) {
  segment.text = state_->buffer.take_into(state_->framed_bytes, block);
  state_->framed_bytes = 0;
}

const std::vector<std::string>& CsvReader::header() const { return state_->header; }
std::string_view CsvReader::raw_header() const { return state_->raw_header; }
const Dialect& CsvReader::dialect() const { return state_->dialect; }
std::uint64_t CsvReader::bytes_read() const { return state_->bytes_read; }
std::vector<std::string> CsvReader::notes() const { return state_->notes; }

}  // namespace dropscore::table
