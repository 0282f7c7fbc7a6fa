// The model card: what a person should know before relying on a model.
#include <fmt/format.h>

#include "job/train_report.h"

namespace dropscore::job {
namespace {

std::string describe(const schema::Feature& feature) {
  if (feature.kind == schema::Kind::numeric) return fmt::format("{:g} to {:g}", feature.minimum, feature.maximum);
  return fmt::format("{}", fmt::join(feature.categories, ", "));
}

std::string missing_rule(const schema::Feature& feature, const model::Predictor& predictor) {
  if (!feature.missing_allowed) return "row rejected";
  const std::string_view family = predictor.family();
  const bool fills = family == "svm" || family == "logistic";
  if (!fills) return "own branch";
  return feature.kind == schema::Kind::numeric
             ? fmt::format("taken as {:g}", feature.fill)
             : fmt::format("taken as {}", feature.categories[static_cast<std::size_t>(feature.fill)]);
}

std::string figure_row(const char* name, double value, const metrics::Interval& interval) {
  return fmt::format("| {} | {:.4f} | {:.4f} to {:.4f} |\n", name, value, interval.low, interval.high);
}

std::string figures_table(const result::Evaluation& e) {
  const metrics::Figures& f = e.figures;
  const metrics::FigureIntervals& i = *e.intervals;
  std::string out = "| figure | value | 95 % interval (bootstrap) |\n|---|---|---|\n";
  out += figure_row("accuracy", f.confusion.accuracy(), i.accuracy);
  out += figure_row("precision", f.confusion.precision(), i.precision);
  out += figure_row("recall", f.confusion.recall(), i.recall);
  out += figure_row("F1", f.confusion.f1(), i.f1);
  out += figure_row("MCC", f.confusion.mcc(), i.mcc);
  out += figure_row("ROC AUC", f.roc_auc, i.roc_auc);
  out += figure_row("average precision, converts", f.average_precision, i.average_precision);
  out += figure_row("average precision, does not", f.average_precision_negative, i.average_precision_negative);
  out += figure_row("log loss", f.log_loss, i.log_loss);
  out += figure_row("Brier score", f.brier_score, i.brier_score);
  out += fmt::format("| expected calibration error | {:.4f} | |\n\n", e.calibration_error);
  out += fmt::format("Confusion: {} true negatives, {} false positives, {} false negatives, {} true positives.\n",
                     f.confusion.tn, f.confusion.fp, f.confusion.fn, f.confusion.tp);
  return out;
}

std::string reliability_table(const result::Evaluation& e) {
  std::string out = "| rows | probability said | rate seen |\n|---|---|---|\n";
  for (const metrics::ReliabilityBin& bin : e.reliability) {
    out += fmt::format("| {} | {:.3f} | {:.3f} |\n", bin.rows, bin.mean_probability, bin.observed_rate);
  }
  return out;
}

}  // namespace

std::string to_card(const TrainReport& report, const model::Model& model) {
  const CandidateReport& winner = report.candidates.front();
  const schema::Schema& schema = model.schema();
  const DataReport& data = report.data;
  std::string out = fmt::format("# Model {}\n\nPredicts whether `{}` is `{}`. Family: {} ({}).\n", report.model_version,
                                report.target, schema.target.positive, winner.model, report.why);
  out += fmt::format(
      "\n## Data\n\n{} rows, {} of them left out as unreadable; {} for training ({:.2f} % convert), {} held out.\n",
      data.rows, data.rejected_rows, data.training_rows, 100 * data.training_conversion_rate, data.holdout_rows);
  for (const schema::DroppedColumn& column : data.dropped)
    out += fmt::format("- `{}` left out: {}\n", column.name, column.why);
  for (const std::string& note : data.notes) out += fmt::format("- {}\n", note);

  out += "\n## Columns\n\n| column | seen in training | missing cell |\n|---|---|---|\n";
  for (const schema::Feature& feature : schema.features) {
    out += fmt::format("| {} | {} | {} |\n", feature.name, describe(feature), missing_rule(feature, model.predictor()));
  }
  out += fmt::format("\nA category that training never saw: {}.\n",
                     schema.unknown == schema::UnknownRule::reject ? "the row is rejected" : "coded as unknown");

  out += "\n## Parameters\n\n";
  for (const auto& [name, value] : winner.parameters) out += fmt::format("- {} = {}\n", name, value);
  out += fmt::format("- calibration: {}\n", winner.calibration);
  out += winner.decision.kind == model::DecisionRule::Kind::sign
             ? std::string("- decides by the sign of the decision value\n")
             : fmt::format("- says \"will convert\" from probability {:.6g} on\n", winner.decision.threshold);

  if (winner.holdout) {
    out +=
        "\n## Figures on the held-out rows\n\nThese rows decided nothing: not the fit, the calibration or the "
        "threshold.\n\n";
    out += figures_table(*winner.holdout);
    for (const std::string& warning : winner.warnings) out += fmt::format("\n**Warning**: {}.\n", warning);
    out += "\n### Can the probabilities be taken at their word?\n\n" + reliability_table(*winner.holdout);
  } else {
    out +=
        "\n## Figures\n\nNo rows were held out (`--holdout none`): how good the model is on new customers was not "
        "measured.\n";
  }

  out += fmt::format(
      "\n## What each column matters\n\nHow much worse the model judges {} rows once a column is shuffled.\n\n"
      "| column | log loss rises by | ROC AUC falls by |\n|---|---|---|\n",
      report.importances_on_holdout ? "the held-out" : "the training");
  for (const Importance& i : report.importances) {
    out += fmt::format("| {} | {:.4f} | {:.4f} |\n", i.feature, i.log_loss_increase, i.roc_auc_decrease);
  }

  out +=
      "\n## Limits of use\n\n"
      "- It speaks of customers like those it learned from: within the ranges above, at the time and place of the "
      "data.\n"
      "- A column that matters to the model need not be a cause: changing it need not change a customer.\n"
      "- The intervals say what chance does to these held-out rows, not what another year does.\n"
      "- It is made for choosing whom to contact first. It is not made for decisions about a person's rights or "
      "means.\n";
  return out;
}

}  // namespace dropscore::job
