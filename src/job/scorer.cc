#include "job/scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json_writer.h"
#include "features/encoder.h"
#include "model/model.h"
#include "result/answer.h"

namespace dropscore::job {
namespace {

using table::RowFault;

tl::unexpected<Refusal> refuse(const std::string& text, bool malformed, std::string rejections_json = "[]",
                               const ScoreCounts& counts = {}) {
  Refusal refusal;
  refusal.error = Error{ErrorKind::reject, CustomerText{text}, OperatorText{text}};
  refusal.malformed = malformed;
  refusal.rejections_json = std::move(rejections_json);
  refusal.counts = counts;
  return tl::unexpected<Refusal>(std::move(refusal));
}

std::string errors_json(const table::RowErrors& errors) {
  std::string out;
  JsonWriter json(out);
  result::write_errors(json, errors);
  return out;
}

ScoreCounts counts_of(const result::Summary& summary, const table::RowErrors& errors) {
  return {summary.total_records, errors.total(), summary.predicted_conversions, 0, errors.counts()};
}

/// A whole number of JSON, which simdjson keeps apart from the others.
std::optional<double> as_number(const simdjson::dom::element& value) {
  double number = 0;
  if (value.get_double().get(number) == simdjson::SUCCESS) return number;
  return std::nullopt;
}

features::EncodedCell encode_value(const schema::Feature& feature, schema::UnknownRule unknown,
                                   const simdjson::dom::element& value) {
  if (value.is_null()) return features::encode_cell(feature, unknown, "", false);
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    return features::encode_cell(feature, unknown, text, false);
  }
  if (value.is_object() || value.is_array() || value.is_bool()) return {0, RowFault::wrong_type};
  if (feature.kind == schema::Kind::categorical) {  // a category may be written as a number: 1 is the text "1"
    return features::encode_cell(feature, unknown, simdjson::to_string(value), false);
  }
  const std::optional<double> number = as_number(value);
  return number ? features::EncodedCell{*number, RowFault::none} : features::EncodedCell{0, RowFault::not_a_number};
}

/// Kept by each thread, so that a record is scored without asking for memory.
struct Workspace {
  std::vector<std::uint64_t> ids;
  std::vector<double> values;
  std::vector<float> singles;
  std::vector<model::Score> scores;
};

/// Records of JSON -> matrix rows, the good ones; the others are listed by their index.
class RecordEncoder {
 public:
  /// With `exact` off, numbers that a float cannot hold are refused, as in a CSV.
  RecordEncoder(const model::Model& model, std::uint64_t max_errors, bool exact, Workspace& workspace)
      : schema_(model.schema()), exact_(exact), errors_(max_errors), ids_(workspace.ids), values_(workspace.values) {
    ids_.clear();
    values_.clear();
  }

  void add(const simdjson::dom::element& record) {
    const std::uint64_t index = count_++;
    simdjson::dom::object object;
    if (record.get(object) != simdjson::SUCCESS) {
      errors_.add(index, "", simdjson::to_string(record), RowFault::not_a_record);
      return;
    }
    values_.resize((ids_.size() + 1) * schema_.size());
    double* out = values_.data() + ids_.size() * schema_.size();
    for (const schema::Feature& feature : schema_.features) {
      simdjson::dom::element value;
      const bool present = object.at_key(feature.name).get(value) == simdjson::SUCCESS;
      features::EncodedCell cell;
      if (present) {
        cell = encode_value(feature, schema_.unknown, value);
      } else if (feature.missing_allowed) {
        cell.value = std::numeric_limits<double>::quiet_NaN();
      } else {
        cell.fault = RowFault::missing_field;
      }
      if (!exact_ && cell.fault == RowFault::none &&
          std::abs(cell.value) > static_cast<double>(std::numeric_limits<float>::max())) {
        cell.fault = RowFault::number_too_large;
      }
      if (cell.fault != RowFault::none) {
        errors_.add(index, feature.name, present ? shown(value) : std::string(), cell.fault);
        return;
      }
      *out++ = cell.value;
    }
    ids_.push_back(index);
  }

  const std::vector<std::uint64_t>& ids() const { return ids_; }
  const table::RowErrors& errors() const { return errors_; }
  std::uint64_t count() const { return count_; }
  features::MatrixView<double> rows() const { return {values_.data(), ids_.size(), schema_.size()}; }

 private:
  static std::string shown(const simdjson::dom::element& value) {
    std::string_view text;
    return value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::to_string(value);
  }

  const schema::Schema& schema_;
  bool exact_;
  table::RowErrors errors_;
  std::vector<std::uint64_t>& ids_;
  std::vector<double>& values_;
  std::uint64_t count_ = 0;
};

void score_records(const model::Model& model, features::MatrixView<double> rows, bool exact, Workspace& workspace) {
  workspace.scores.resize(rows.rows);
  if (exact) {
    model.score(rows, std::span<model::Score>(workspace.scores));
    return;
  }
  workspace.singles.resize(rows.rows * rows.columns);
  std::transform(rows.data, rows.data + workspace.singles.size(), workspace.singles.begin(),
                 [](double value) { return static_cast<float>(value); });
  model.score(features::MatrixView<float>{workspace.singles.data(), rows.rows, rows.columns},
              std::span<model::Score>(workspace.scores));
}

tl::expected<ScoreCounts, Refusal> answer_records(const model::Model& model, const RecordEncoder& records, bool exact,
                                                  Workspace& workspace, std::string& out) {
  if (records.ids().empty()) {
    const std::string why = records.count() == 0   ? "there is no record in the list"
                            : records.count() == 1 ? "the record could not be scored; \"errors\" says why"
                                                   : "no record could be scored; \"errors\" says why for each";
    return refuse(why, false, errors_json(records.errors()), counts_of({}, records.errors()));
  }
  score_records(model, records.rows(), exact, workspace);
  result::Summary summary;
  result::JsonAnswer answer(model.version(), model.decision());
  result::JsonAnswer::begin(out);
  const std::size_t rows_at = out.size();
  {
    TextRoom room(out);
    for (std::size_t i = 0; i < workspace.scores.size(); ++i) {
      result::JsonAnswer::add(room, records.ids()[i], workspace.scores[i]);
      summary.add(workspace.scores[i]);
    }
  }
  out.erase(rows_at, result::JsonAnswer::separator_bytes);
  summary.rejected_records = records.errors().total();
  answer.end(out, summary, records.errors());
  return counts_of(summary, records.errors());
}

/// Says which fields that the model needs no record has: "errors" names one for each record, as for a row of a file.
void name_missing_fields(const schema::Schema& schema, const simdjson::dom::element& document, Refusal& refusal) {
  constexpr std::size_t most_records = 1000;  // this reads them once for each field; nearly all lists are alike
  std::vector<simdjson::dom::element> records;
  simdjson::dom::array list;
  if (document.get(list) == simdjson::SUCCESS) {
    for (auto at = list.begin(); at != list.end() && records.size() < most_records; ++at) {
      if ((*at).is_object()) records.push_back(*at);
    }
  } else {
    records.push_back(document);
  }
  std::vector<std::string> missing;
  for (const schema::Feature& feature : schema.features) {
    const auto has = [&feature](const simdjson::dom::element& record) {
      return record.at_key(feature.name).error() == simdjson::SUCCESS;
    };
    if (!feature.missing_allowed && std::none_of(records.begin(), records.end(), has)) missing.push_back(feature.name);
  }
  if (records.empty() || missing.empty()) return;
  const std::string text = fmt::format("{} missing; the model needs {}", features::counted("field", missing),
                                       missing.size() == 1 ? "it" : "them");
  refusal.error.customer.text = text;
  refusal.error.detail.text = text;
}

tl::expected<ScoreCounts, Refusal> answer_csv(ScoreStream stream, std::string_view text, std::string& out) {
  for (;;) {
    const Result<ScoreStream::Step> step = stream.next(out);
    if (!step) return refuse(step.error().customer.text, false, stream.rejections_json(), stream.counts());
    if (*step == ScoreStream::Step::end) return stream.counts();
    if (*step == ScoreStream::Step::output) continue;
    if (text.empty()) {
      stream.finish();
      continue;
    }
    const std::span<char> room = stream.room();
    const std::size_t count = text.copy(room.data(), room.size());
    text.remove_prefix(count);
    stream.commit(count);
  }
}

}  // namespace

std::string Scorer::health_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("status", "healthy").member("model", model_->predictor().display_name());
  json.member("features", model_->schema().size()).member("model_version", model_->version());
  json.end_object();
  return out;
}

const std::string& Scorer::model_version() const { return model_->version(); }

tl::expected<ScoreCounts, Refusal> Scorer::score_json(std::string_view body, const ScoreOptions& options,
                                                      std::string& out) const {
  // A parser keeps the memory that its largest document took, some 13 times the text; only small ones are worth
  // keeping.
  constexpr std::size_t small_body_bytes = limits::mib;
  thread_local simdjson::dom::parser kept;
  simdjson::dom::parser passing;
  simdjson::dom::parser& parser = body.size() <= small_body_bytes ? kept : passing;
  simdjson::dom::element document;
  const simdjson::error_code parsed = parser.parse(body.data(), body.size()).get(document);
  if (parsed != simdjson::SUCCESS) {
    return refuse(fmt::format("the body is not JSON: {}", simdjson::error_message(parsed)), true);
  }
  std::string_view csv;
  if (document.is_object() && document["csv_data"].get(csv) == simdjson::SUCCESS) {
    ScoreOptions as_json = options;
    as_json.format = Format::json;
    return answer_csv(stream(as_json), csv, out);
  }
  thread_local Workspace kept_workspace;
  Workspace passing_workspace;
  Workspace& workspace = body.size() <= small_body_bytes ? kept_workspace : passing_workspace;
  const bool exact = wants_double(*model_, options.precision);
  RecordEncoder records(*model_, options.max_errors, exact, workspace);
  simdjson::dom::array array;
  if (document.get(array) == simdjson::SUCCESS) {
    for (const simdjson::dom::element record : array) records.add(record);
  } else if (document.is_object()) {
    records.add(document);
  } else {
    return refuse("the body is neither a record, a list of records, nor {\"csv_data\": \"...\"}", true);
  }
  auto answered = answer_records(*model_, records, exact, workspace, out);
  if (!answered) name_missing_fields(model_->schema(), document, answered.error());
  return answered;
}

}  // namespace dropscore::job
