#include "job/train_data.h"

#include <numeric>
#include <span>

#include <fmt/format.h>

#include "features/encoder.h"
#include "metrics/split.h"
#include "schema/fit.h"
#include "table/frame.h"

namespace dropscore::job {
namespace {

constexpr std::size_t min_training_rows = 20;  // fewer cannot fill five folds with both classes

Result<Rows> encode(const schema::Schema& schema, const table::Frame& frame, std::span<const std::size_t> rows,
                    const std::vector<std::uint8_t>& labels, table::RowErrors& errors) {
  Rows out;
  std::vector<std::size_t> kept;
  DROPSCORE_TRY(out.matrix, features::encode_frame(schema, frame, rows, kept, errors));
  for (const std::size_t row : kept) out.labels.push_back(labels[row]);
  return out;
}

void note_rejected(const table::RowErrors& errors, std::string_view what, DataReport& report) {
  if (errors.total() == 0) return;
  const table::RowError& first = errors.listed().front();
  report.notes.push_back(fmt::format(
      "{} of the {} rows left out; the first: line {}{}: {}", errors.total(), what, first.row,
      first.column.empty() ? "" : fmt::format(", column \"{}\"", first.column), table::reason(first.fault)));
}

}  // namespace

Result<TrainingData> prepare(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options,
                             DataReport& report) {
  DROPSCORE_TRY(const Holdout holdout, parse_holdout(options.holdout));
  table::RowErrors bad_rows;
  DROPSCORE_TRY(const table::Frame frame, table::Frame::read(data, bad_rows));
  report.rows = frame.rows() + bad_rows.total();
  report.rejected_rows = bad_rows.total();
  report.notes = frame.notes();
  note_rejected(bad_rows, "file's", report);
  if (frame.rows() < min_training_rows) {
    return fail(ErrorKind::reject, fmt::format("{} usable rows are too few to learn from; at least {} are needed",
                                               frame.rows(), min_training_rows));
  }
  DROPSCORE_TRY(const schema::Labels labels, schema::read_labels(frame, options.target));

  metrics::Split split;
  if (const auto* sklearn = std::get_if<SklearnHoldout>(&holdout)) {
    DROPSCORE_TRY(split, metrics::stratified_split(labels.values, sklearn->fraction, sklearn->seed));
  } else {
    split.train.resize(frame.rows());
    std::iota(split.train.begin(), split.train.end(), std::size_t{0});
  }

  TrainingData prepared;
  const schema::FitOptions fit_options{options.target, options.drop, options.keep, options.unknown};
  DROPSCORE_TRY(prepared.schema, schema::fit(frame, split.train, labels.target, fit_options));
  table::RowErrors none;  // a training row always fits the schema that was fitted on it
  DROPSCORE_TRY(prepared.training, encode(prepared.schema, frame, split.train, labels.values, none));

  table::RowErrors unusable;
  if (!split.test.empty()) {
    DROPSCORE_TRY(prepared.holdout, encode(prepared.schema, frame, split.test, labels.values, unusable));
  } else if (std::holds_alternative<FileHoldout>(holdout)) {
    if (holdout_file == nullptr) return fail(ErrorKind::misuse, "--holdout names a file that was not opened");
    DROPSCORE_TRY(const table::Frame other, table::Frame::read(*holdout_file, unusable));
    DROPSCORE_TRY(const schema::Labels other_labels, schema::read_labels(other, options.target));
    std::vector<std::size_t> all(other.rows());
    std::iota(all.begin(), all.end(), std::size_t{0});
    DROPSCORE_TRY(prepared.holdout, encode(prepared.schema, other, all, other_labels.values, unusable));
  }
  note_rejected(unusable, "held-out", report);

  report.training_rows = prepared.training.labels.size();
  report.holdout_rows = prepared.holdout ? prepared.holdout->labels.size() : 0;
  report.features = prepared.schema.size();
  report.dropped = prepared.schema.dropped;
  return prepared;
}

}  // namespace dropscore::job
