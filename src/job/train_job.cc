#include "job/train_job.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "job/candidate.h"
#include "job/judge.h"
#include "job/train_data.h"
#include "learn/learner.h"
#include "learn/parallel.h"
#include "metrics/random.h"

namespace dropscore::job {
namespace {

constexpr std::uint32_t importance_rounds = 3;
constexpr std::size_t importance_rows = 10'000;  // more would say the same, later

double rate_of(std::span<const std::uint8_t> labels) {
  const auto conversions = std::count(labels.begin(), labels.end(), std::uint8_t{1});
  return static_cast<double>(conversions) / static_cast<double>(labels.size());
}

Result<std::vector<const learn::Learner*>> chosen_learners(const TrainOptions& options) {
  std::vector<const learn::Learner*> chosen;
  const bool all = std::find(options.models.begin(), options.models.end(), "all") != options.models.end();
  for (const learn::Learner* learner : learn::learners()) {
    const bool named = std::find(options.models.begin(), options.models.end(), learner->name()) != options.models.end();
    if (all || named) chosen.push_back(learner);
  }
  for (const std::string& name : options.models) {
    if (name == "all") continue;
    DROPSCORE_TRY(const learn::Learner* found, learn::find_learner(name));
    static_cast<void>(found);
  }
  if (chosen.empty()) return fail(ErrorKind::misuse, "--models names no model");
  for (const auto& [model, parameters] : options.set) {
    const auto at = std::find_if(chosen.begin(), chosen.end(), [&m = model](const auto* l) { return l->name() == m; });
    if (at == chosen.end()) {
      return fail(ErrorKind::misuse, fmt::format("--set {}.*: {} is not among the models to fit", model, model));
    }
    for (const auto& [name, value] : parameters) {
      if (!(*at)->defaults().contains(name)) {
        std::string known;
        for (const auto& [parameter, unused] : (*at)->defaults()) known += (known.empty() ? "" : ", ") + parameter;
        return fail(ErrorKind::misuse, fmt::format("--set {}.{}: {} knows {}", model, name, model, known));
      }
    }
  }
  return chosen;
}

/// Bigger is better.
double worth(const result::Evaluation& evaluation, Select select) {
  const metrics::Figures& figures = evaluation.figures;
  switch (select) {
    case Select::log_loss: return -figures.log_loss;
    case Select::auc: return figures.roc_auc;
    case Select::mcc: return figures.confusion.mcc();
    case Select::f1: return figures.confusion.f1();
    case Select::accuracy: return figures.confusion.accuracy();
    case Select::brier: return -figures.brier_score;
  }
  return -figures.log_loss;
}

/// Wrong in the same way as saying the same of everyone: worth a warning.
std::vector<std::string> warnings_of(const result::Evaluation& holdout, const result::Evaluation& baseline) {
  std::vector<std::string> out;
  const auto check = [&out](const char* name, double ours, double theirs, bool better) {
    if (!better)
      out.push_back(fmt::format("held-out {} {:.4f} does not beat the constant baseline's {:.4f}", name, ours, theirs));
  };
  const metrics::Figures& a = holdout.figures;
  const metrics::Figures& b = baseline.figures;
  check("accuracy", a.confusion.accuracy(), b.confusion.accuracy(), a.confusion.accuracy() > b.confusion.accuracy());
  check("F1", a.confusion.f1(), b.confusion.f1(), a.confusion.f1() > b.confusion.f1());
  check("log loss", a.log_loss, b.log_loss, a.log_loss < b.log_loss);
  check("Brier score", a.brier_score, b.brier_score, a.brier_score < b.brier_score);
  check("ROC AUC", a.roc_auc, 0.5, a.roc_auc > 0.5);
  return out;
}

features::Matrix<float> as_floats(features::MatrixView<double> rows) {
  features::Matrix<float> out(rows.rows, rows.columns);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    std::transform(rows.row(i).begin(), rows.row(i).end(), out.row(i).begin(),
                   [](double value) { return static_cast<float>(value); });
  }
  return out;
}

metrics::Figures figures_of(const model::Model& model, const features::Matrix<float>& rows,
                            std::span<const std::uint8_t> labels) {
  std::vector<model::Score> scores(labels.size());
  model.score(rows.view(), std::span<model::Score>(scores));
  std::vector<double> probabilities;
  std::vector<std::uint8_t> decisions;
  for (const model::Score& score : scores) {
    probabilities.push_back(score.probability);
    decisions.push_back(score.converts ? 1 : 0);
  }
  return metrics::figures(labels, probabilities, decisions);
}

/// Shuffles one column at a time and looks how much worse the model judges. Says nothing of cause, and little of
/// columns that say the same thing as another.
std::vector<Importance> importances(const model::Model& model, const Rows& rows, const TrainOptions& options) {
  metrics::NumpyRandom random(options.seed);
  std::vector<std::size_t> some = random.permutation(rows.labels.size());
  some.resize(std::min(some.size(), importance_rows));
  const features::Matrix<float> matrix =
      as_floats(features::gather(rows.matrix.view(), std::span<const std::size_t>(some)));
  std::vector<std::uint8_t> labels;
  labels.reserve(some.size());
  for (const std::size_t row : some) labels.push_back(rows.labels[row]);
  std::vector<std::vector<std::size_t>> orders(importance_rounds);
  for (auto& order : orders) order = random.permutation(labels.size());

  const metrics::Figures before = figures_of(model, matrix, labels);
  std::vector<Importance> out(matrix.columns());
  learn::for_each_index(out.size(), options.threads, [&](std::size_t column) {
    Importance& importance = out[column];
    importance.feature = model.schema().features[column].name;
    features::Matrix<float> shuffled = matrix;
    for (const std::vector<std::size_t>& order : orders) {
      for (std::size_t i = 0; i < order.size(); ++i) shuffled(i, column) = matrix(order[i], column);
      const metrics::Figures after = figures_of(model, shuffled, labels);
      importance.log_loss_increase += (after.log_loss - before.log_loss) / importance_rounds;
      importance.roc_auc_decrease += (before.roc_auc - after.roc_auc) / importance_rounds;
    }
  });
  std::stable_sort(out.begin(), out.end(),
                   [](const Importance& a, const Importance& b) { return a.log_loss_increase > b.log_loss_increase; });
  return out;
}

double scoring_speed(const model::Model& model, const Rows& rows) {
  const features::Matrix<float> singles = as_floats(rows.matrix.view());
  std::vector<model::Score> scores(singles.rows());
  const auto begin = std::chrono::steady_clock::now();
  model.score(singles.view(), std::span<model::Score>(scores));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return static_cast<double>(scores.size()) / std::max(seconds, 1e-9);
}

Status judge_on_holdout(Candidate& candidate, const TrainingData& data, const TrainOptions& options,
                        const TrainReport& report) {
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> fitted, model::Model::make(candidate.parts));
  candidate.report.rows_scored_per_second = scoring_speed(*fitted, data.holdout ? *data.holdout : data.training);
  if (!data.holdout) return {};
  candidate.report.holdout = judge(*fitted, data.holdout->matrix, data.holdout->labels, options.seed);
  if (candidate.report.model != "constant") {
    candidate.report.warnings = warnings_of(*candidate.report.holdout, *report.baseline);
  }
  return {};
}

}  // namespace

Result<Trained> train(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options,
                      const TrainHooks& hooks) {
  DROPSCORE_TRY(const std::vector<const learn::Learner*> learners, chosen_learners(options));
  Trained trained;
  TrainReport& report = trained.report;
  report.target = options.target;
  hooks.progress("reading the table", 0);
  DROPSCORE_TRY(const TrainingData prepared, prepare(data, holdout_file, options, report.data));
  report.data.training_conversion_rate = rate_of(prepared.training.labels);
  if (prepared.holdout)
    report.baseline = judge_constant(report.data.training_conversion_rate, prepared.holdout->labels);

  std::vector<Candidate> candidates;
  const double share = 1 / static_cast<double>(learners.size());
  for (std::size_t i = 0; i < learners.size(); ++i) {
    const learn::Learner* const learner = learners[i];
    Result<Candidate> tried =
        try_candidate(*learner, prepared, options, hooks, {share * static_cast<double>(i), share});
    if (!tried && tried.error().kind == ErrorKind::too_large && learners.size() > 1) {
      report.data.notes.push_back(fmt::format("{} was left out: {}", learner->name(), tried.error().customer.text));
      continue;
    }
    if (!tried) return pass_on(std::move(tried));
    DROPSCORE_CHECK(judge_on_holdout(*tried, prepared, options, report));
    candidates.push_back(std::move(*tried));
  }
  if (candidates.empty()) return fail(ErrorKind::reject, "no model takes so many rows; see --models");
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return worth(*a.report.cross_validated, options.select) > worth(*b.report.cross_validated, options.select);
  });
  for (const Candidate& candidate : candidates) report.candidates.push_back(candidate.report);

  Candidate& winner = candidates.front();
  report.winner = winner.report.model;
  report.why = candidates.size() == 1
                   ? "the only model tried"
                   : fmt::format("best cross-validated {} on the training rows", name(options.select));
  hooks.progress(fmt::format("{}: what each column matters", report.winner), 0.99);
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> fitted, model::Model::make(winner.parts));
  report.importances = importances(*fitted, prepared.holdout ? *prepared.holdout : prepared.training, options);
  report.importances_on_holdout = prepared.holdout.has_value();
  JsonWriter json(winner.parts.training_json);
  json.begin_object();
  write_training_members(json, report);
  json.end_object();
  DROPSCORE_TRY(trained.model, model::Model::make(std::move(winner.parts)));
  report.model_version = trained.model->version();
  return trained;
}

}  // namespace dropscore::job
