#include "features/segment_encoder.h"

#include <algorithm>
#include <utility>

#include "table/plain_number.h"

namespace dropscore::features {

using table::RowFault;

SegmentEncoder::SegmentEncoder(const schema::Schema& schema, RowEncoder rows, std::size_t header_size,
                               const table::Dialect& dialect, const table::CsvOptions& options)
    : rows_(std::move(rows)),
      header_size_(header_size),
      max_row_bytes_(options.max_row_bytes),
      delimiter_(dialect.delimiter),
      decimal_comma_(dialect.decimal_comma),
      reader_(options, delimiter_, header_size_) {
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const schema::Feature& feature = schema.features[i];
    const bool categorical = feature.kind == schema::Kind::categorical;
    columns_.push_back({rows_.columns()[i], categorical, feature.missing_allowed,
                        categorical ? CategoryIndex(feature) : CategoryIndex()});
  }
}

Result<SegmentEncoder> SegmentEncoder::bind(const schema::Schema& schema, std::span<const std::string> header,
                                            const table::Dialect& dialect, const table::CsvOptions& options) {
  DROPSCORE_TRY(RowEncoder rows, RowEncoder::bind(schema, header, dialect.decimal_comma));
  return SegmentEncoder(schema, std::move(rows), header.size(), dialect, options);
}

void SegmentEncoder::open(const table::Segment& segment) {
  reader_.open(segment);
  at_ = segment.text.data();
  end_ = at_ + segment.text.size();
  line_ = segment.line;
  record_ = segment.record;
  load_window();
}

/// Indexes what comes next.
void SegmentEncoder::load_window() {
  window_ = at_;
  const auto size = std::min(table::TextIndex::most_bytes, static_cast<std::size_t>(end_ - at_));
  index_.build({at_, size}, delimiter_, decimal_comma_);
  next_line_ = 0;
  next_odd_ = index_.next_odd(0);
}

/// After a record that was read cell by cell, and may have had line ends within.
void SegmentEncoder::skip_to_place() {
  const auto place = static_cast<std::size_t>(at_ - window_);
  const auto line_ends = index_.line_ends();
  while (next_line_ < line_ends.size() && index_.ends()[line_ends[next_line_]] < place) ++next_line_;
  next_odd_ = index_.next_odd(place);
}

/// The line that begins at at_. False: only reading it shows what it is.
bool SegmentEncoder::find_line(Line& line) {
  if (next_line_ == index_.line_ends().size()) {
    load_window();
    if (index_.line_ends().empty()) return false;
  }
  const std::uint32_t last = index_.line_ends()[next_line_];
  const std::uint32_t before = next_line_ == 0 ? 0 : index_.line_ends()[next_line_ - 1] + 1;
  line.ends = index_.ends().data() + before;
  const std::size_t line_feed = index_.ends()[last];
  line.content_end = window_ + line_feed;
  const bool within_limit = static_cast<std::size_t>(line.content_end - at_) < max_row_bytes_;
  if (line.content_end != at_ && line.content_end[-1] == '\r') --line.content_end;
  const bool blank = line.content_end == at_;
  return last - before + 1 == header_size_ && line_feed < next_odd_ && within_limit && !blank;
}

template <class T>
bool SegmentEncoder::read_cell(const Column& column, const char* begin, const char* end, T& out) const {
  if (column.categorical) {
    const auto code = column.categories.find({begin, static_cast<std::size_t>(end - begin)});
    if (code) out = static_cast<T>(*code);
    return code.has_value();
  }
  table::PlainNumber number;
  if (table::read_plain_number(index_, window_, begin, end, number) && nearest(number, out)) [[likely]]
    return true;
  return read_other(column, begin, end, out);
}

/// A negative number, or nothing.
template <class T>
bool SegmentEncoder::read_other(const Column& column, const char* begin, const char* end, T& out) const {
  if (begin == end && column.missing_allowed) {
    out = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  table::PlainNumber number;
  if (end - begin < 2 || *begin != '-') return false;
  if (!table::read_plain_number(index_, window_, begin + 1, end, number) || !nearest(number, out)) return false;
  out = -out;
  return true;
}

template <class T>
bool SegmentEncoder::read_plain(const Line& line, std::span<T> out) const {
  const std::size_t last = header_size_ - 1;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::uint32_t place = columns_[i].place;
    const char* const begin = window_ + static_cast<std::uint32_t>(line.ends[std::ptrdiff_t{place} - 1] + 1);
    const char* const end = place == last ? line.content_end : window_ + line.ends[place];
    if (!read_cell(columns_[i], begin, end, out[i])) return false;
  }
  return true;
}

/// Reads the record at at_ cell by cell. False: it was no row, or is none that can be scored.
template <class T>
bool SegmentEncoder::read_slowly(Matrix<T>& matrix, std::size_t scored, EncodedRows& out, table::RowErrors& errors) {
  const table::SegmentReader::Step step = reader_.read(at_, line_, record_, out.read);
  at_ = step.next;
  line_ += step.line_ends;
  skip_to_place();
  if (step.blank) return false;
  ++record_;
  const table::Row& row = out.read.rows.back();
  const RowFault fault = rows_.encode(out.read, row, matrix.row(scored), errors);
  out.rows.push_back({row.raw, row.record, fault, static_cast<std::uint32_t>(out.read.rows.size() - 1)});
  return fault == RowFault::none;
}

template <class T>
bool SegmentEncoder::next(std::size_t most_rows, Matrix<T>& matrix, EncodedRows& out, table::RowErrors& errors) {
  out.rows.clear();
  out.read.rows.clear();
  out.read.cells.clear();
  reader_.clear();
  matrix.resize(most_rows, columns_.size());
  std::size_t scored = 0;
  while (out.rows.size() < most_rows && at_ != end_) {
    Line line;
    if (find_line(line) && read_plain(line, matrix.row(scored))) [[likely]] {
      out.rows.push_back(
          {{at_, static_cast<std::size_t>(line.content_end - at_)}, record_, RowFault::none, EncodedRow::none});
      ++scored;
      at_ = window_ + index_.ends()[index_.line_ends()[next_line_++]] + 1;
      ++line_;
      ++record_;
    } else if (read_slowly(matrix, scored, out, errors)) {
      ++scored;
    }
  }
  matrix.resize(scored, columns_.size());
  return !out.rows.empty();
}

template <class T>
void SegmentEncoder::encode_read(Matrix<T>& matrix, EncodedRows& out, table::RowErrors& errors) const {
  out.rows.clear();
  matrix.resize(out.read.rows.size(), columns_.size());
  std::size_t scored = 0;
  for (std::uint32_t i = 0; i < out.read.rows.size(); ++i) {
    const table::Row& row = out.read.rows[i];
    const RowFault fault = rows_.encode(out.read, row, matrix.row(scored), errors);
    out.rows.push_back({row.raw, row.record, fault, i});
    if (fault == RowFault::none) ++scored;
  }
  matrix.resize(scored, columns_.size());
}

template bool SegmentEncoder::next(std::size_t, Matrix<float>&, EncodedRows&, table::RowErrors&);
template bool SegmentEncoder::next(std::size_t, Matrix<double>&, EncodedRows&, table::RowErrors&);
template void SegmentEncoder::encode_read(Matrix<float>&, EncodedRows&, table::RowErrors&) const;
template void SegmentEncoder::encode_read(Matrix<double>&, EncodedRows&, table::RowErrors&) const;

}  // namespace dropscore::features
