#include "job/score_stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "features/encoder.h"
#include "model/model.h"
#include "result/answer.h"
#include "table/csv_reader.h"

namespace dropscore::job {
namespace {

table::CsvOptions csv_options(const ScoreOptions& options) {
  table::CsvOptions csv;
  csv.max_row_bytes = options.max_row_bytes;
  return csv;
}

bool wants_double(const model::Model& model, PrecisionChoice choice) {
  return choice == PrecisionChoice::double_precision ||
         model.preferred_precision() == model::Precision::double_precision;
}

std::string none_scored_text(const table::RowErrors& errors) {
  if (errors.total() == 0) return "the file has a header but no rows";
  if (errors.listed().empty()) return fmt::format("none of the {} rows could be scored", errors.total());
  const table::RowError& first = errors.listed().front();
  return fmt::format("none of the {} rows could be scored; the first: line {}{}: {}", errors.total(), first.row,
                     first.column.empty() ? "" : fmt::format(", column \"{}\"", first.column),
                     table::reason(first.fault));
}

}  // namespace

Status ScoreOptions::validate() const {
  if (max_row_bytes < 16) return fail(ErrorKind::misuse, "the limit on a row's length is under 16 bytes");
  if (max_row_bytes > 64 * limits::mib) return fail(ErrorKind::misuse, "the limit on a row's length is over 64 MiB");
  return {};
}

struct ScoreStream::State {
  State(std::shared_ptr<const model::Model> m, const ScoreOptions& o)
      : model(std::move(m)),
        options(o),
        exact(wants_double(*model, o.precision)),
        reader(csv_options(o)),
        errors(o.max_errors),
        json(model->version()) {}

  Status begin(std::string& out);
  void score_batch(std::string& out);
  template <class T>
  void encode_and_score(features::Matrix<T>& matrix);
  void write_json(std::string& out);
  void write_csv(std::string& out);

  std::shared_ptr<const model::Model> model;
  ScoreOptions options;
  bool exact;
  table::CsvReader reader;
  table::RowErrors errors;
  result::Summary summary;
  result::JsonAnswer json;
  std::optional<features::BatchEncoder> encoder;
  std::optional<result::CsvAnswer> csv;
  bool ended = false;

  // Reused from batch to batch.
  table::Batch batch;
  features::Matrix<float> singles;
  features::Matrix<double> doubles;
  std::vector<std::uint32_t> scored;
  std::vector<table::RowFault> faults;
  std::vector<model::Score> scores;
};

Status ScoreStream::State::begin(std::string& out) {
  DROPSCORE_TRY(features::BatchEncoder bound, features::BatchEncoder::bind(model->schema(), reader.header()));
  encoder = std::move(bound);
  if (options.format == Format::json) {
    json.begin(out);
  } else {
    csv.emplace(reader.dialect(), reader.header().size());
    csv->begin(out, reader.raw_header());
  }
  return {};
}

template <class T>
void ScoreStream::State::encode_and_score(features::Matrix<T>& matrix) {
  encoder->encode(batch, reader.dialect().decimal_comma, matrix, scored, faults, errors);
  scores.resize(matrix.rows());
  model->score(matrix.view(), scores);
}

void ScoreStream::State::write_json(std::string& out) {
  for (std::size_t i = 0; i < scored.size(); ++i) json.add(out, batch.rows[scored[i]].record, scores[i]);
}

void ScoreStream::State::write_csv(std::string& out) {
  std::size_t next_score = 0;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    if (faults[i] == table::RowFault::none) {
      csv->add(out, batch, batch.rows[i], scores[next_score++]);
    } else {
      csv->add_rejected(out, batch, batch.rows[i], faults[i]);
    }
  }
}

void ScoreStream::State::score_batch(std::string& out) {
  if (exact) {
    encode_and_score(doubles);
  } else {
    encode_and_score(singles);
  }
  for (const model::Score& score : scores) summary.add(score);
  summary.rejected_records += batch.rows.size() - scored.size();
  if (options.format == Format::json) {
    write_json(out);
  } else {
    write_csv(out);
  }
}

ScoreStream::ScoreStream(std::shared_ptr<const model::Model> model, const ScoreOptions& options)
    : state_(std::make_unique<State>(std::move(model), options)) {}
ScoreStream::ScoreStream(ScoreStream&&) noexcept = default;
ScoreStream& ScoreStream::operator=(ScoreStream&&) noexcept = default;
ScoreStream::~ScoreStream() = default;

std::span<char> ScoreStream::room() { return state_->reader.room(); }
void ScoreStream::commit(std::size_t count) { state_->reader.commit(count); }
void ScoreStream::finish() { state_->reader.finish(); }

Result<ScoreStream::Step> ScoreStream::next(std::string& out) {
  State& state = *state_;
  if (state.ended) return Step::end;
  DROPSCORE_TRY(const table::CsvReader::Step step, state.reader.next(state.batch));
  // The header is known from the first batch on, or at the end of a file that has no rows.
  const bool header_known = !state.reader.header().empty();
  if (header_known && !state.encoder) DROPSCORE_CHECK(state.begin(out));
  switch (step) {
    case table::CsvReader::Step::need_bytes: return Step::need_bytes;
    case table::CsvReader::Step::batch: state.score_batch(out); return Step::output;
    case table::CsvReader::Step::end: break;
  }
  state.ended = true;
  if (state.summary.total_records == 0) return fail(ErrorKind::reject, none_scored_text(state.errors));
  if (state.options.format == Format::json) state.json.end(out, state.summary, state.errors);
  return Step::end;
}

bool ScoreStream::scored_any() const { return state_->summary.total_records > 0; }

ScoreCounts ScoreStream::counts() const {
  return {state_->summary.total_records, state_->summary.rejected_records, state_->summary.predicted_conversions,
          state_->reader.bytes_read()};
}

std::string ScoreStream::rejections_json() const {
  std::string out;
  JsonWriter json(out);
  result::write_errors(json, state_->errors);
  return out;
}

result::ErrorMembers ScoreStream::error_members() const { return result::error_members(state_->errors); }

std::vector<std::string> ScoreStream::notes() const { return state_->reader.notes(); }

}  // namespace dropscore::job
