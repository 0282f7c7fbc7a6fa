#include "job/train_report.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace dropscore::job {
namespace {

void write(JsonWriter& json, const std::map<std::string, std::string>& parameters) {
  json.begin_object();
  for (const auto& [name, value] : parameters) json.member(name, value);
  json.end_object();
}

void write(JsonWriter& json, std::string_view name, const std::optional<result::Evaluation>& evaluation) {
  json.key(name);
  if (evaluation) {
    result::write(json, *evaluation);
  } else {
    json.null();
  }
}

void write(JsonWriter& json, const model::DecisionRule& decision) {
  json.begin_object();
  if (decision.kind == model::DecisionRule::Kind::sign) {
    json.member("kind", "sign");
  } else {
    json.member("kind", "probability").member("threshold", decision.threshold);
  }
  json.end_object();
}

void write(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_search(JsonWriter& json, const CandidateReport& candidate) {
  json.key("search").begin_object();
  json.member("measure", candidate.search_measure).key("points").begin_array();
  for (const SearchPoint& point : candidate.search) {
    json.begin_object().key("parameters");
    write(json, point.parameters);
    json.member("value", point.value).end_object();
  }
  json.end_array();
  json.end_object();
}

void write(JsonWriter& json, const CandidateReport& candidate, bool with_times) {
  json.begin_object();
  json.member("model", candidate.model).key("parameters");
  write(json, candidate.parameters);
  if (candidate.support_vectors) {
    json.key("support_vectors").begin_array();
    json.value(candidate.support_vectors->negative).value(candidate.support_vectors->positive);
    json.end_array();
  }
  if (!candidate.search.empty()) write_search(json, candidate);
  json.member("calibration", candidate.calibration).key("decision");
  write(json, candidate.decision);
  write(json, "cross_validated", candidate.cross_validated);
  write(json, "holdout", candidate.holdout);
  json.key("warnings");
  write(json, candidate.warnings);
  if (with_times) {
    json.member("fit_seconds", candidate.fit_seconds);
    json.member("rows_scored_per_second", candidate.rows_scored_per_second);
  }
  json.end_object();
}

void write(JsonWriter& json, const DataReport& data) {
  json.begin_object();
  json.member("rows", data.rows).member("rejected_rows", data.rejected_rows);
  json.member("training_rows", data.training_rows).member("holdout_rows", data.holdout_rows);
  json.member("features", data.features).member("training_conversion_rate", data.training_conversion_rate);
  json.key("dropped_columns").begin_array();
  for (const schema::DroppedColumn& column : data.dropped) {
    json.begin_object().member("name", column.name).member("why", column.why).end_object();
  }
  json.end_array();
  json.key("notes");
  write(json, data.notes);
  json.end_object();
}

void write_members(JsonWriter& json, const TrainReport& report, bool with_times) {
  json.member("target", report.target).key("data");
  write(json, report.data);
  json.key("candidates").begin_array();
  for (const CandidateReport& candidate : report.candidates) write(json, candidate, with_times);
  json.end_array();
  write(json, "baseline", report.baseline);
  json.member("winner", report.winner).member("why", report.why);
  json.key("permutation_importance").begin_object();
  json.member("rows", report.importances_on_holdout ? "holdout" : "training").key("features").begin_array();
  for (const Importance& importance : report.importances) {
    json.begin_object().member("name", importance.feature).member("log_loss_increase", importance.log_loss_increase);
    json.member("roc_auc_decrease", importance.roc_auc_decrease).end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

void write_training_members(JsonWriter& json, const TrainReport& report) { write_members(json, report, false); }

std::string to_json(const TrainReport& report) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("format", "dropscore-train-report").member("format_version", 1);
  write_members(json, report, true);
  json.member("model_version", report.model_version);
  json.end_object();
  out.push_back('\n');
  return out;
}

std::string to_text(const TrainReport& report) {
  std::string out;
  const auto line = [&out](const std::string& text) { out.append(text).push_back('\n'); };
  const DataReport& data = report.data;
  line(fmt::format("{} rows: {} for training, {} held out{}; {} features, {:.2f} % convert", data.rows,
                   data.training_rows, data.holdout_rows,
                   data.rejected_rows == 0 ? "" : fmt::format(", {} left out", data.rejected_rows), data.features,
                   100 * data.training_conversion_rate));
  for (const schema::DroppedColumn& column : data.dropped) {
    line(fmt::format("column {} left out: {} (--keep {} keeps it)", column.name, column.why, column.name));
  }
  for (const std::string& note : data.notes) line(note);
  out.append("\nCross-validated on the training rows, best first:\n").append(result::table_head());
  for (const CandidateReport& candidate : report.candidates) {
    out.append(
        result::table_line(fmt::format("{} ({})", candidate.model, candidate.calibration), *candidate.cross_validated));
  }
  if (report.baseline) {
    out.append("\nOn the held-out rows, which decided nothing:\n").append(result::table_head());
    for (const CandidateReport& candidate : report.candidates) {
      out.append(result::table_line(candidate.model, *candidate.holdout));
    }
    out.append(result::table_line("the same for everyone", *report.baseline));
  }
  const CandidateReport& winner = report.candidates.front();
  line(fmt::format("\nWinner: {}, {}; fitted in {:.1f} s, scores {:.3g} rows/s on one core", report.winner, report.why,
                   winner.fit_seconds, winner.rows_scored_per_second));
  if (winner.holdout) {
    const metrics::Confusion& c = winner.holdout->figures.confusion;
    line(fmt::format("held out: of {} who converted it found {}; of {} who did not it found {}", c.tp + c.fn, c.tp,
                     c.tn + c.fp, c.tn));
    const metrics::FigureIntervals& i = *winner.holdout->intervals;
    line(fmt::format(
        "95 % intervals: accuracy {:.3f} to {:.3f}, MCC {:.3f} to {:.3f}, ROC AUC {:.3f} to {:.3f}, log loss "
        "{:.3f} to {:.3f}",
        i.accuracy.low, i.accuracy.high, i.mcc.low, i.mcc.high, i.roc_auc.low, i.roc_auc.high, i.log_loss.low,
        i.log_loss.high));
  }
  for (const std::string& warning : winner.warnings) line("warning: " + warning);
  return out;
}

}  // namespace dropscore::job
