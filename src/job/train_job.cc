#include "job/train_job.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "features/encoder.h"
#include "learn/learner.h"
#include "learn/svm.h"
#include "metrics/platt.h"
#include "metrics/split.h"
#include "metrics/threshold.h"
#include "schema/fit.h"
#include "table/frame.h"

namespace dropscore::job {
namespace {

constexpr std::size_t min_training_rows = 20;  // fewer cannot fill five folds with both classes

/// Encoded rows and their labels.
struct Rows {
  features::Matrix<double> matrix;
  std::vector<std::uint8_t> labels;
};

struct Prepared {
  schema::Schema schema;
  Rows training;
  std::optional<Rows> holdout;
};

Result<Rows> encode(const schema::Schema& schema, const table::Frame& frame, std::span<const std::size_t> rows,
                    const std::vector<std::uint8_t>& labels, table::RowErrors& errors) {
  Rows out;
  std::vector<std::size_t> kept;
  DROPSCORE_TRY(out.matrix, features::encode_frame(schema, frame, rows, kept, errors));
  for (const std::size_t row : kept) out.labels.push_back(labels[row]);
  return out;
}

void note_rejected(const table::RowErrors& errors, std::string_view what, TrainReport& report) {
  if (errors.total() == 0) return;
  const table::RowError& first = errors.listed().front();
  report.notes.push_back(fmt::format(
      "{} of the {} rows left out; the first: line {}{}: {}", errors.total(), what, first.row,
      first.column.empty() ? "" : fmt::format(", column \"{}\"", first.column), table::reason(first.fault)));
}

/// Reads the table, splits it, fits the schema on the training rows, encodes both parts.
Result<Prepared> prepare(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options, TrainReport& report) {
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

  Prepared prepared;
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

/// Decisions of a candidate on rows that it was not fitted on: what calibration and threshold are chosen by.
class OutOfFold {
 public:
  OutOfFold(const learn::Learner& learner, const learn::TrainingSet& data, const learn::Parameters& parameters,
            const learn::LearnContext& context)
      : learner_(learner), data_(data), parameters_(parameters), context_(context) {}

  /// Computed once, when first asked for.
  Result<std::span<const double>> decisions() {
    if (decisions_.empty()) {
      DROPSCORE_TRY(decisions_, learn::out_of_fold_decisions(learner_, data_, parameters_, context_));
    }
    return std::span<const double>(decisions_);
  }

 private:
  const learn::Learner& learner_;
  const learn::TrainingSet& data_;
  const learn::Parameters& parameters_;
  const learn::LearnContext& context_;
  std::vector<double> decisions_;
};

Result<model::Calibration> calibrate(CalibrationChoice choice, const learn::Learner& learner, OutOfFold& out_of_fold,
                                     const learn::TrainingSet& data, const learn::Parameters& parameters,
                                     const learn::LearnContext& context) {
  model::Calibration calibration;
  switch (choice) {
    case CalibrationChoice::original:
      if (learner.name() != learn::svm_learner().name()) {
        return fail(ErrorKind::misuse,
                    fmt::format("--calibration original is the SVM's own; it does not fit {}", learner.name()));
      }
      return learn::fit_original_calibration(data, parameters, context);
    case CalibrationChoice::none: return calibration;
    case CalibrationChoice::automatic:
    case CalibrationChoice::platt: break;
  }
  DROPSCORE_TRY(const std::span<const double> decisions, out_of_fold.decisions());
  const metrics::Sigmoid sigmoid = metrics::fit_platt(decisions, data.labels);
  calibration.kind = model::CalibrationKind::platt;
  calibration.A = sigmoid.A;
  calibration.B = sigmoid.B;
  return calibration;
}

double objective(const ThresholdRule& rule, const metrics::Confusion& confusion) {
  switch (rule.kind) {
    case ThresholdRule::Kind::f1: return confusion.f1();
    case ThresholdRule::Kind::accuracy: return confusion.accuracy();
    case ThresholdRule::Kind::recall: return confusion.recall() >= rule.number ? confusion.mcc() : -2;
    case ThresholdRule::Kind::mcc:
    case ThresholdRule::Kind::fixed:
    case ThresholdRule::Kind::profit:
    case ThresholdRule::Kind::sign: break;
  }
  return confusion.mcc();
}

Result<model::DecisionRule> choose_decision(const ThresholdRule& rule, const model::Calibration& calibration,
                                            OutOfFold& out_of_fold, std::span<const std::uint8_t> labels) {
  model::DecisionRule decision;
  switch (rule.kind) {
    case ThresholdRule::Kind::sign: decision.kind = model::DecisionRule::Kind::sign; return decision;
    case ThresholdRule::Kind::fixed: decision.threshold = rule.number; return decision;
    // Contact a customer when the expected gain, p value, is over the cost.
    case ThresholdRule::Kind::profit: decision.threshold = std::min(1.0, rule.cost / rule.value); return decision;
    case ThresholdRule::Kind::mcc:
    case ThresholdRule::Kind::f1:
    case ThresholdRule::Kind::accuracy:
    case ThresholdRule::Kind::recall: break;
  }
  DROPSCORE_TRY(const std::span<const double> decisions, out_of_fold.decisions());
  std::vector<double> probabilities(decisions.size());
  calibration.apply(decisions, probabilities);
  decision.threshold = metrics::best_threshold(labels, probabilities, [&rule](const metrics::Confusion& confusion) {
                         return objective(rule, confusion);
                       }).threshold;
  return decision;
}

metrics::Figures evaluate(const model::Model& model, const Rows& rows) {
  std::vector<model::Score> scores(rows.labels.size());
  model.score(rows.matrix.view(), std::span<model::Score>(scores));
  std::vector<double> probabilities;
  std::vector<std::uint8_t> decisions;
  for (const model::Score& score : scores) {
    probabilities.push_back(score.probability);
    decisions.push_back(score.converts ? 1 : 0);
  }
  return metrics::figures(rows.labels, probabilities, decisions);
}

/// Figures on out-of-fold decisions that stand in any case; the calibration saw them, so they flatter a little.
metrics::Figures evaluate_out_of_fold(std::span<const double> decisions, const model::Calibration& calibration,
                                      const model::DecisionRule& rule, std::span<const std::uint8_t> labels) {
  std::vector<double> probabilities(decisions.size());
  calibration.apply(decisions, probabilities);
  std::vector<std::uint8_t> converts;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const bool yes =
        rule.kind == model::DecisionRule::Kind::sign ? decisions[i] > 0 : probabilities[i] >= rule.threshold;
    converts.push_back(yes ? 1 : 0);
  }
  return metrics::figures(labels, probabilities, converts);
}

metrics::Figures evaluate_baseline(double rate, const Rows& rows) {
  const std::vector<double> probabilities(rows.labels.size(), rate);
  const std::vector<std::uint8_t> decisions(rows.labels.size(), rate >= 0.5 ? 1 : 0);
  return metrics::figures(rows.labels, probabilities, decisions);
}

struct Candidate {
  CandidateReport report;
  model::ModelParts parts;
};

Result<Candidate> fit_candidate(const learn::Learner& learner, const Prepared& prepared, const TrainOptions& options,
                                const learn::LearnContext& context) {
  const auto begin = std::chrono::steady_clock::now();
  Candidate candidate;
  learn::Parameters parameters = learner.defaults();
  if (const auto set = options.set.find(std::string(learner.name())); set != options.set.end()) {
    for (const auto& [name, value] : set->second) parameters[name] = value;
  }
  const learn::TrainingSet data{prepared.training.matrix.view(), prepared.training.labels, &prepared.schema};
  DROPSCORE_TRY(const ThresholdRule rule, parse_threshold(options.threshold));
  OutOfFold out_of_fold(learner, data, parameters, context);
  DROPSCORE_TRY(candidate.parts.predictor, learner.fit(data, parameters, context));
  DROPSCORE_TRY(candidate.parts.calibration,
                calibrate(options.calibration, learner, out_of_fold, data, parameters, context));
  DROPSCORE_TRY(candidate.parts.decision, choose_decision(rule, candidate.parts.calibration, out_of_fold, data.labels));
  candidate.parts.schema = prepared.schema;
  DROPSCORE_TRY(const std::span<const double> decisions, out_of_fold.decisions());

  CandidateReport& report = candidate.report;
  report.model = learner.name();
  report.parameters = parameters;
  report.calibration = model::name(candidate.parts.calibration.kind);
  report.decision = candidate.parts.decision;
  report.cross_validated =
      evaluate_out_of_fold(decisions, candidate.parts.calibration, candidate.parts.decision, data.labels);
  report.fit_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (const auto* svm = dynamic_cast<const model::Svm*>(candidate.parts.predictor.get())) {
    const std::uint64_t all = svm->form().coefficients.size();
    report.support_vectors =
        SupportVectorCounts{svm->form().negative_support_vectors, all - svm->form().negative_support_vectors};
  }
  return candidate;
}

}  // namespace

Result<Trained> train(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options,
                      const TrainHooks& hooks) {
  Trained trained;
  TrainReport& report = trained.report;
  report.target = options.target;
  hooks.progress("reading the table");
  DROPSCORE_TRY(const Prepared prepared, prepare(data, holdout_file, options, report));
  const auto conversions =
      std::count(prepared.training.labels.begin(), prepared.training.labels.end(), std::uint8_t{1});
  report.training_conversion_rate = static_cast<double>(conversions) / static_cast<double>(report.training_rows);

  if (options.models.size() != 1) return fail(ErrorKind::misuse, "--models: one model at a time for now");
  DROPSCORE_TRY(const learn::Learner* learner, learn::find_learner(options.models.front()));
  for (const auto& [model, unused] : options.set) {
    if (model != learner->name()) {
      return fail(ErrorKind::misuse, fmt::format("--set {}.*: {} is not among the models to fit", model, model));
    }
  }
  hooks.progress(fmt::format("fitting {} on {} rows", learner->name(), report.training_rows));
  const learn::LearnContext context{options.seed, options.threads, hooks.stop_requested};
  DROPSCORE_TRY(Candidate candidate, fit_candidate(*learner, prepared, options, context));

  report.winner = candidate.report.model;
  report.candidates.push_back(candidate.report);
  if (prepared.holdout) {
    DROPSCORE_TRY(const std::shared_ptr<const model::Model> fitted, model::Model::make(candidate.parts));
    report.candidates.front().holdout = evaluate(*fitted, *prepared.holdout);
    report.baseline = evaluate_baseline(report.training_conversion_rate, *prepared.holdout);
  }
  JsonWriter json(candidate.parts.training_json);
  json.begin_object();
  write_training_members(json, report);
  json.end_object();
  DROPSCORE_TRY(trained.model, model::Model::make(std::move(candidate.parts)));
  report.model_version = trained.model->version();
  return trained;
}

}  // namespace dropscore::job
