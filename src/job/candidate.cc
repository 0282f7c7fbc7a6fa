#include "job/candidate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "job/judge.h"
#include "learn/calibrate.h"
#include "learn/search.h"
#include "learn/svm.h"
#include "metrics/split.h"
#include "metrics/threshold.h"

namespace dropscore::job {
namespace {

using Clock = std::chrono::steady_clock;

/// Above this many rows, parameters, calibration and threshold are judged on a sample of the training rows: more would
/// take minutes and move the third digit. The model itself is fitted on all of them.
constexpr std::size_t max_judged_rows = 100'000;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Everything that trying one learner needs, so that its steps read as a story.
class Trial {
 public:
  Trial(const learn::Learner& learner, const TrainingData& data, const TrainOptions& options, const TrainHooks& hooks,
        Share share)
      : learner_(learner),
        options_(options),
        hooks_(hooks),
        share_(share),
        set_{data.training.matrix.view(), data.training.labels, &data.schema},
        judged_(set_),
        context_{options.seed, options.threads, hooks.stop_requested} {}

  Status begin();
  Status seek(CandidateReport& report);
  Result<model::ModelParts> fit(const schema::Schema& schema, CandidateReport& report);

 private:
  Result<std::vector<double>> out_of_fold(const learn::Parameters& parameters) const {
    return learn::out_of_fold_decisions(learner_, judged_, parameters, context_);
  }
  /// `part` of this trial, 0 to 1, is done.
  void say(const std::string& step, double part) const { hooks_.progress(step, share_.begin + share_.size * part); }
  learn::CrossFitted cross_fit(const std::vector<double>& decisions) const;
  Status seek_original(CandidateReport& report);
  Result<model::DecisionRule> choose_decision(const std::vector<double>& probabilities) const;
  std::vector<std::uint8_t> decide(const model::DecisionRule& rule, const std::vector<double>& decisions,
                                   const std::vector<double>& probabilities) const;

  const learn::Learner& learner_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  Share share_;
  learn::TrainingSet set_;
  learn::TrainingSet judged_;  // set_, or a sample of it
  Rows sample_;
  learn::LearnContext context_;
  std::vector<std::uint32_t> folds_;
  std::vector<double> decisions_;  // out of fold, of the parameters that were chosen
};

Status Trial::begin() {
  if (set_.labels.size() > max_judged_rows) {
    const double fraction = static_cast<double>(max_judged_rows) / static_cast<double>(set_.labels.size());
    DROPSCORE_TRY(const metrics::Split split, metrics::stratified_split(set_.labels, fraction, options_.seed));
    sample_.matrix = features::gather(set_.rows, std::span<const std::size_t>(split.test));
    for (const std::size_t row : split.test) sample_.labels.push_back(set_.labels[row]);
    judged_ = {sample_.matrix.view(), sample_.labels, set_.schema};
  }
  DROPSCORE_TRY(folds_, learn::training_folds(judged_.labels, options_.seed));
  return {};
}

learn::CrossFitted Trial::cross_fit(const std::vector<double>& decisions) const {
  switch (options_.calibration) {
    case CalibrationChoice::none:
      return learn::cross_fit(model::CalibrationKind::none, decisions, judged_.labels, folds_);
    case CalibrationChoice::original:
    case CalibrationChoice::platt:
      return learn::cross_fit(model::CalibrationKind::platt, decisions, judged_.labels, folds_);
    case CalibrationChoice::isotonic:
      return learn::cross_fit(model::CalibrationKind::isotonic, decisions, judged_.labels, folds_);
    case CalibrationChoice::automatic: break;
  }
  return learn::choose_calibration(decisions, judged_.labels, folds_);
}

/// The parameters: those that the user set, and for the others the best of a search by cross-validated log loss.
Status Trial::seek(CandidateReport& report) {
  learn::Parameters start = learner_.defaults();
  std::vector<learn::Dimension> dimensions = learn::search_space(learner_.name());
  if (const auto set = options_.set.find(std::string(learner_.name())); set != options_.set.end()) {
    for (const auto& [name, value] : set->second) {
      start[name] = value;
      std::erase_if(dimensions,
                    [&name = name](const learn::Dimension& dimension) { return dimension.parameter == name; });
    }
  }
  report.parameters = start;
  if (options_.effort == learn::Effort::original && learner_.name() == learn::svm_learner().name()) {
    return seek_original(report);
  }
  const std::size_t asks =
      dimensions.empty() ? 1 : learn::max_asks(options_.effort, learner_.name(), judged_.labels.size());
  learn::Search search(start, std::move(dimensions), asks);
  while (const std::optional<learn::Parameters> parameters = search.ask()) {
    say(fmt::format("{}: parameters {} of at most {}", learner_.name(), search.asked(), asks),
        static_cast<double>(search.asked() - 1) / static_cast<double>(asks + 1));
    DROPSCORE_TRY(std::vector<double> decisions, out_of_fold(*parameters));
    const double value = -cross_fit(decisions).log_loss;
    const bool better = decisions_.empty() || value > search.best_value();
    // NOLINTNEXTLINE(bugprone-narrowing-conversions): of a double to a double
    search.tell(std::isnan(value) ? learn::failed : value);
    report.search.push_back({*parameters, value});
    if (better) decisions_ = std::move(decisions);
  }
  report.parameters = search.best();
  report.search_measure = "minus_log_loss";
  if (report.search.size() == 1) report.search.clear();
  return {};
}

/// The original's grid: 32 points by F1 on unshuffled folds, as scikit-learn's GridSearchCV goes through them.
Status Trial::seek_original(CandidateReport& report) {
  DROPSCORE_TRY(const std::vector<learn::SearchedPoint> points,
                learn::search_original_grid(judged_, context_, [this](std::size_t done, std::size_t total) {
                  say(fmt::format("{}: the original's grid, {} of {} fits", learner_.name(), done, total),
                      0.8 * static_cast<double>(done) / static_cast<double>(total));
                }));
  report.search_measure = "f1";
  const learn::SearchedPoint* best = &points.front();
  for (const learn::SearchedPoint& point : points) {
    report.search.push_back({point.parameters, point.value});
    if (point.value > best->value) best = &point;
  }
  for (const auto& [name, value] : best->parameters) report.parameters[name] = value;
  DROPSCORE_TRY(decisions_, out_of_fold(report.parameters));
  return {};
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

/// Chosen on probabilities of rows that neither the fit nor the calibration saw.
Result<model::DecisionRule> Trial::choose_decision(const std::vector<double>& probabilities) const {
  DROPSCORE_TRY(const ThresholdRule rule, parse_threshold(options_.threshold));
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
  const auto by_rule = [&rule](const metrics::Confusion& confusion) { return objective(rule, confusion); };
  const metrics::ChosenThreshold best = metrics::best_threshold(judged_.labels, probabilities, by_rule);
  decision.threshold = best.threshold;
  if (rule.kind != ThresholdRule::Kind::mcc) return decision;
  // MCC is a correlation of n rows: differences under half its standard error are chance, and so is one under three.
  const double root = std::sqrt(static_cast<double>(judged_.labels.size()));
  if (best.value < 3 / root) {
    decision.threshold = 0.5;
  } else {
    const double tolerance = 0.5 * (1 - best.value * best.value) / root;
    decision.threshold = metrics::best_threshold(judged_.labels, probabilities, by_rule, tolerance).threshold;
  }
  return decision;
}

std::vector<std::uint8_t> Trial::decide(const model::DecisionRule& rule, const std::vector<double>& decisions,
                                        const std::vector<double>& probabilities) const {
  std::vector<std::uint8_t> out(decisions.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool by_sign = rule.kind == model::DecisionRule::Kind::sign;
    out[i] = (by_sign ? decisions[i] >= 0 : probabilities[i] >= rule.threshold) ? 1 : 0;
  }
  return out;
}

Result<model::ModelParts> Trial::fit(const schema::Schema& schema, CandidateReport& report) {
  say(fmt::format("{}: fitting on {} rows", learner_.name(), set_.labels.size()), 0.8);
  model::ModelParts parts;
  parts.schema = schema;
  DROPSCORE_TRY(parts.predictor, learner_.fit(set_, report.parameters, context_));
  const learn::CrossFitted fitted = cross_fit(decisions_);
  if (options_.calibration == CalibrationChoice::original) {
    if (learner_.name() != learn::svm_learner().name()) {
      return fail(
          ErrorKind::misuse,
          fmt::format("--calibration original is the SVM's own; it does not fit {} (--models svm)", learner_.name()));
    }
    DROPSCORE_TRY(parts.calibration, learn::fit_original_calibration(set_, report.parameters, context_));
  } else {
    parts.calibration = learn::fit_calibration(fitted.kind, decisions_, judged_.labels);
  }
  DROPSCORE_TRY(parts.decision, choose_decision(fitted.probabilities));
  report.calibration = model::name(parts.calibration.kind);
  report.decision = parts.decision;
  report.cross_validated = result::evaluate(judged_.labels, fitted.probabilities,
                                            decide(parts.decision, decisions_, fitted.probabilities), std::nullopt);
  return parts;
}

}  // namespace

Result<Candidate> try_candidate(const learn::Learner& learner, const TrainingData& data, const TrainOptions& options,
                                const TrainHooks& hooks, Share share) {
  const Clock::time_point begin = Clock::now();
  Candidate candidate;
  candidate.report.model = learner.name();
  Trial trial(learner, data, options, hooks, share);
  DROPSCORE_CHECK(trial.begin());
  DROPSCORE_CHECK(trial.seek(candidate.report));
  DROPSCORE_TRY(candidate.parts, trial.fit(data.schema, candidate.report));
  candidate.report.fit_seconds = seconds_since(begin);
  if (const auto* svm = dynamic_cast<const model::Svm*>(candidate.parts.predictor.get())) {
    const std::uint64_t all = svm->form().coefficients.size();
    const std::uint64_t negative = svm->form().negative_support_vectors;
    candidate.report.support_vectors = SupportVectorCounts{negative, all - negative};
  }
  return candidate;
}

}  // namespace dropscore::job
