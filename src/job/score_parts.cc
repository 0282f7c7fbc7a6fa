#include "job/score_parts.h"

#include <utility>

#include <fmt/format.h>

#include "base/text_room.h"

namespace dropscore::job {
namespace {

// Their matrix, texts and answer stay in the processor's caches.
constexpr std::size_t rows_at_once = 512;

table::CsvOptions reader_options(const ScoreOptions& options) {
  table::CsvOptions csv;
  csv.max_row_bytes = options.max_row_bytes;
  return csv;
}

/// REQUIRES: binding succeeded when the context was made.
features::SegmentEncoder encoder_of(const FileContext& context) {
  return *features::SegmentEncoder::bind(context.model->schema(), context.header, context.dialect, context.csv_options);
}

std::string none_scored_text(const table::RowErrors& errors) {
  if (errors.total() == 0) return "the file has a header but no rows: put one row for each customer below the header";
  if (errors.listed().empty()) return fmt::format("none of the {} rows could be scored", errors.total());
  const table::RowError& first = errors.listed().front();
  return fmt::format("none of the {} rows could be scored; the first: line {}{}: {}", errors.total(), first.row,
                     first.column.empty() ? "" : fmt::format(", column \"{}\"", first.column),
                     table::reason(first.fault));
}

}  // namespace

bool wants_double(const model::Model& model, PrecisionChoice choice) {
  return choice == PrecisionChoice::double_precision ||
         model.preferred_precision() == model::Precision::double_precision;
}

Result<std::shared_ptr<const FileContext>> FileContext::make(std::shared_ptr<const model::Model> model,
                                                             const ScoreOptions& options,
                                                             const table::CsvReader& reader) {
  DROPSCORE_CHECK(features::bind_columns(model->schema(), reader.header()));
  const result::CsvAnswer csv(reader.dialect(), reader.header().size());
  std::string front;
  if (options.format == Format::json) {
    result::JsonAnswer::begin(front);
  } else {
    csv.begin(front, reader.raw_header());
  }
  const bool exact = wants_double(*model, options.precision);
  return std::make_shared<const FileContext>(FileContext{std::move(model), options, reader_options(options), exact,
                                                         reader.header(), reader.dialect(), csv, std::move(front)});
}

PieceScorer::PieceScorer(std::shared_ptr<const FileContext> context)
    : context_(std::move(context)), encoder_(encoder_of(*context_)) {}

void PieceScorer::score(const table::Segment& segment, ScoredPiece& out) {
  out.text.clear();
  out.errors = table::RowErrors(context_->options.max_errors);
  out.summary = {};
  encoder_.open(segment);
  if (context_->exact) {
    score_segment(doubles_, out);
  } else {
    score_segment(singles_, out);
  }
}

template <class T>
void PieceScorer::score_segment(features::Matrix<T>& matrix, ScoredPiece& out) {
  while (encoder_.next(rows_at_once, matrix, rows_, out.errors)) score_rows(matrix.view(), rows_, out);
}

void PieceScorer::score_read(features::EncodedRows& rows, ScoredPiece& out) {
  out.text.clear();
  out.errors = table::RowErrors(context_->options.max_errors);
  out.summary = {};
  if (context_->exact) {
    encoder_.encode_read(doubles_, rows, out.errors);
    score_rows(doubles_.view(), rows, out);
  } else {
    encoder_.encode_read(singles_, rows, out.errors);
    score_rows(singles_.view(), rows, out);
  }
}

template <class T>
void PieceScorer::score_rows(features::MatrixView<T> matrix, const features::EncodedRows& rows, ScoredPiece& out) {
  scores_.resize(matrix.rows);
  context_->model->score(matrix, std::span<model::Score>(scores_));
  for (const model::Score& score : scores_) out.summary.add(score);
  out.summary.rejected_records += rows.rows.size() - scores_.size();
  if (context_->options.format == Format::json) {
    write_json(rows, out.text);
  } else {
    write_csv(rows, out.text);
  }
}

void PieceScorer::write_json(const features::EncodedRows& rows, std::string& out) const {
  TextRoom room(out);
  auto score = scores_.begin();
  for (const features::EncodedRow& row : rows.rows) {
    if (row.fault == table::RowFault::none) result::JsonAnswer::add(room, row.record, *score++);
  }
}

void PieceScorer::write_csv(const features::EncodedRows& rows, std::string& out) const {
  TextRoom room(out);
  auto score = scores_.begin();
  for (const features::EncodedRow& row : rows.rows) {
    if (row.fault == table::RowFault::none) {
      context_->csv.add(room, row.raw, *score++);
    } else {
      context_->csv.add_rejected(room, rows.read, rows.read.rows[row.read_row], row.fault);
    }
  }
}

ScoreInput::ScoreInput(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
    : model_(std::move(model)), options_(options), reader_(reader_options(options)) {}

Result<ScoreInput::Step> ScoreInput::next(table::Batch& read, table::Segment& segment) {
  DROPSCORE_TRY(const Step step, reader_.next(read, segment));
  // The header is known from the first rows on, or at the end of a file that has none.
  if (context_ == nullptr && !reader_.header().empty()) {
    DROPSCORE_TRY(context_, FileContext::make(model_, options_, reader_));
  }
  return step;
}

void ScoreTotals::add(const FileContext& context, ScoredPiece& piece, std::string& out) {
  std::size_t skipped = 0;
  if (!begun_) {
    begun_ = true;
    out.append(context.front);
  }
  if (context.options.format == Format::json && !scored_any()) skipped = result::JsonAnswer::separator_bytes;
  summary_.total_records += piece.summary.total_records;
  summary_.rejected_records += piece.summary.rejected_records;
  summary_.predicted_conversions += piece.summary.predicted_conversions;
  errors_.add_all(std::move(piece.errors));
  if (out.empty() && skipped == 0) {
    std::swap(out, piece.text);
  } else if (!piece.text.empty()) {
    out.append(piece.text, skipped);
  }
}

Status ScoreTotals::end(const FileContext* context, std::string& out) {
  if (!scored_any()) return fail(ErrorKind::reject, none_scored_text(errors_));
  if (context->options.format == Format::json) {
    result::JsonAnswer(context->model->version(), context->model->decision()).end(out, summary_, errors_);
  }
  return {};
}

ScoreCounts ScoreTotals::counts(std::uint64_t bytes_read) const {
  return {summary_.total_records, summary_.rejected_records, summary_.predicted_conversions, bytes_read,
          errors_.counts()};
}

std::string ScoreTotals::rejections_json() const {
  std::string out;
  JsonWriter json(out);
  result::write_errors(json, errors_);
  return out;
}

}  // namespace dropscore::job
