#include "result/evaluation.h"

#include <fmt/format.h>

namespace dropscore::result {
namespace {

void write(JsonWriter& json, std::string_view name, const metrics::Interval& interval) {
  json.key(name).begin_array().value(interval.low).value(interval.high).end_array();
}

void write(JsonWriter& json, const metrics::FigureIntervals& intervals) {
  json.begin_object();
  write(json, "accuracy", intervals.accuracy);
  write(json, "precision", intervals.precision);
  write(json, "recall", intervals.recall);
  write(json, "f1", intervals.f1);
  write(json, "mcc", intervals.mcc);
  write(json, "roc_auc", intervals.roc_auc);
  write(json, "average_precision", intervals.average_precision);
  write(json, "average_precision_negative", intervals.average_precision_negative);
  write(json, "log_loss", intervals.log_loss);
  write(json, "brier_score", intervals.brier_score);
  json.end_object();
}

}  // namespace

Evaluation evaluate(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                    std::span<const std::uint8_t> decisions, std::optional<std::uint32_t> bootstrap_seed) {
  Evaluation out;
  out.rows = labels.size();
  out.figures = metrics::figures(labels, probabilities, decisions);
  out.reliability = metrics::reliability_curve(labels, probabilities);
  out.calibration_error = metrics::expected_calibration_error(out.reliability);
  if (bootstrap_seed) {
    metrics::BootstrapOptions options;
    options.seed = *bootstrap_seed;
    out.intervals = metrics::bootstrap(labels, probabilities, decisions, options);
  }
  return out;
}

void write(JsonWriter& json, const Evaluation& evaluation) {
  const metrics::Figures& figures = evaluation.figures;
  const metrics::Confusion& confusion = figures.confusion;
  json.begin_object();
  json.member("rows", evaluation.rows);
  json.key("confusion").begin_object();
  json.member("tn", confusion.tn).member("fp", confusion.fp).member("fn", confusion.fn).member("tp", confusion.tp);
  json.end_object();
  json.member("accuracy", confusion.accuracy()).member("precision", confusion.precision());
  json.member("recall", confusion.recall()).member("f1", confusion.f1()).member("mcc", confusion.mcc());
  json.member("roc_auc", figures.roc_auc).member("average_precision", figures.average_precision);
  json.member("average_precision_negative", figures.average_precision_negative);
  json.member("log_loss", figures.log_loss).member("brier_score", figures.brier_score);
  json.member("calibration_error", evaluation.calibration_error);
  if (evaluation.intervals) {
    json.key("intervals_95");
    write(json, *evaluation.intervals);
  }
  json.key("reliability").begin_array();
  for (const metrics::ReliabilityBin& bin : evaluation.reliability) {
    json.begin_object().member("rows", bin.rows).member("mean_probability", bin.mean_probability);
    json.member("observed_rate", bin.observed_rate).end_object();
  }
  json.end_array();
  json.end_object();
}

std::string table_head() {
  return fmt::format("{:<24}{:>9}{:>10}{:>8}{:>8}{:>8}{:>9}{:>10}{:>8}{:>8}\n", "", "accuracy", "precision", "recall",
                     "F1", "MCC", "ROC AUC", "log loss", "Brier", "ECE");
}

std::string table_line(const std::string& name, const Evaluation& evaluation) {
  const metrics::Figures& f = evaluation.figures;
  const metrics::Confusion& c = f.confusion;
  return fmt::format("{:<24}{:>9.4f}{:>10.4f}{:>8.4f}{:>8.4f}{:>8.4f}{:>9.4f}{:>10.4f}{:>8.4f}{:>8.4f}\n", name,
                     c.accuracy(), c.precision(), c.recall(), c.f1(), c.mcc(), f.roc_auc, f.log_loss, f.brier_score,
                     evaluation.calibration_error);
}

}  // namespace dropscore::result
