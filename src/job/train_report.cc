#include "job/train_report.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace dropscore::job {
namespace {

void write(JsonWriter& json, const metrics::Figures& figures) {
  const metrics::Confusion& confusion = figures.confusion;
  json.begin_object();
  json.key("confusion").begin_object();
  json.member("tn", confusion.tn).member("fp", confusion.fp).member("fn", confusion.fn).member("tp", confusion.tp);
  json.end_object();
  json.member("accuracy", confusion.accuracy()).member("precision", confusion.precision());
  json.member("recall", confusion.recall()).member("f1", confusion.f1()).member("mcc", confusion.mcc());
  json.member("roc_auc", figures.roc_auc).member("average_precision", figures.average_precision);
  json.member("average_precision_negative", figures.average_precision_negative);
  json.member("log_loss", figures.log_loss).member("brier_score", figures.brier_score);
  json.end_object();
}

void write(JsonWriter& json, std::string_view name, const std::optional<metrics::Figures>& figures) {
  json.key(name);
  if (figures) {
    write(json, *figures);
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

void write(JsonWriter& json, const CandidateReport& candidate, bool with_times) {
  json.begin_object();
  json.member("model", candidate.model);
  json.key("parameters").begin_object();
  for (const auto& [name, value] : candidate.parameters) json.member(name, value);
  json.end_object();
  if (candidate.support_vectors) {
    json.key("support_vectors").begin_array();
    json.value(candidate.support_vectors->negative).value(candidate.support_vectors->positive);
    json.end_array();
  }
  json.member("calibration", candidate.calibration);
  json.key("decision");
  write(json, candidate.decision);
  write(json, "cross_validated", candidate.cross_validated);
  write(json, "holdout", candidate.holdout);
  if (with_times) json.member("fit_seconds", candidate.fit_seconds);
  json.end_object();
}

void write_members(JsonWriter& json, const TrainReport& report, bool with_times) {
  json.member("target", report.target);
  json.key("data").begin_object();
  json.member("rows", report.rows).member("rejected_rows", report.rejected_rows);
  json.member("training_rows", report.training_rows).member("holdout_rows", report.holdout_rows);
  json.member("features", report.features).member("training_conversion_rate", report.training_conversion_rate);
  json.key("dropped_columns").begin_array();
  for (const schema::DroppedColumn& column : report.dropped) {
    json.begin_object().member("name", column.name).member("why", column.why).end_object();
  }
  json.end_array();
  json.key("notes").begin_array();
  for (const std::string& note : report.notes) json.value(note);
  json.end_array();
  json.end_object();
  json.key("candidates").begin_array();
  for (const CandidateReport& candidate : report.candidates) write(json, candidate, with_times);
  json.end_array();
  write(json, "baseline", report.baseline);
  json.member("winner", report.winner);
}

void append_row(std::string& out, std::string_view name, const metrics::Figures& figures) {
  const metrics::Confusion& c = figures.confusion;
  fmt::format_to(std::back_inserter(out), "{:<22} {:>8.4f} {:>9.4f} {:>7.4f} {:>7.4f} {:>7.4f} {:>8.4f} {:>8.4f}\n",
                 name, c.accuracy(), c.precision(), c.recall(), c.f1(), c.mcc(), figures.roc_auc, figures.log_loss);
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
  line(fmt::format("{} rows: {} for training, {} held out{}; {} features, {:.2f} % convert", report.rows,
                   report.training_rows, report.holdout_rows,
                   report.rejected_rows == 0 ? "" : fmt::format(", {} left out", report.rejected_rows), report.features,
                   100 * report.training_conversion_rate));
  for (const schema::DroppedColumn& column : report.dropped) {
    line(fmt::format("column {} left out: {} (--keep {} keeps it)", column.name, column.why, column.name));
  }
  for (const std::string& note : report.notes) line(note);
  line("");
  line("                       accuracy precision  recall      F1     MCC  ROC AUC log loss");
  for (const CandidateReport& candidate : report.candidates) {
    if (candidate.cross_validated) append_row(out, candidate.model + ", out of fold", *candidate.cross_validated);
    if (candidate.holdout) append_row(out, candidate.model + ", held out", *candidate.holdout);
  }
  if (report.baseline) append_row(out, "everyone, held out", *report.baseline);
  for (const CandidateReport& candidate : report.candidates) {
    if (!candidate.holdout) continue;
    const metrics::Confusion& c = candidate.holdout->confusion;
    line(fmt::format(
        "\n{} on the held-out rows: {} right and {} wrong among those who convert, {} right and {} wrong among "
        "the others",
        candidate.model, c.tp, c.fn, c.tn, c.fp));
    if (report.baseline && c.accuracy() <= report.baseline->confusion.accuracy()) {
      line(fmt::format("warning: accuracy {:.4f} is no better than saying \"will convert\" of everyone ({:.4f})",
                       c.accuracy(), report.baseline->confusion.accuracy()));
    }
  }
  return out;
}

}  // namespace dropscore::job
