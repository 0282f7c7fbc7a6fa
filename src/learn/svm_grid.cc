#include "learn/svm_grid.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <mutex>
#include <optional>

#include "learn/linear_svm.h"
#include "learn/parallel.h"
#include "learn/svc_fit.h"
#include "learn/workspaces.h"
#include "metrics/classification.h"

namespace dropscore::learn {
namespace {

/// What a fit on one fold gives, whichever points it serves.
struct FoldScore {
  double f1 = 0;
  std::uint64_t iterations = 0;
  bool never_at_bound = false;
};

struct Fold {
  std::vector<std::uint32_t> class_0;
  std::vector<std::uint32_t> class_1;
  std::vector<std::uint32_t> held;
  std::vector<std::uint32_t> fitted;
};

class Search {
 public:
  Search(const SvmGridProblem& problem, const SvmGridOptions& options) : problem_(problem), options_(options) {
    for (SvcFold& fold : folds_by_number(problem.labels, problem.fold_of_row)) {
      Fold& added = folds_.emplace_back(Fold{std::move(fold.second), std::move(fold.first), std::move(fold.held), {}});
      added.fitted = added.class_0;
      added.fitted.insert(added.fitted.end(), added.class_1.begin(), added.class_1.end());
    }
    for (const model::SvmParameters& point : problem.points) {
      const bool rbf = point.kernel == model::Kernel::rbf;
      auto& fits = rbf ? rbf_[point.gamma][point.C] : linear_[point.C];
      if (!fits.empty()) continue;
      fits.resize(folds_.size());
      total_ += folds_.size();
    }
  }

  Result<std::vector<SvmGridScore>> run();

 private:
  using FitsByC = std::map<double, std::vector<std::optional<FoldScore>>>;

  struct Job {
    bool rbf = true;
    double C = 0;  // NOLINT(readability-identifier-naming)
    std::size_t fold = 0;
  };

  static std::vector<Job> jobs_of(const FitsByC& fits, bool rbf, std::size_t folds);
  bool stopping();
  double f1_of(const Fold& fold, std::span<const double> decisions) const;
  Result<FoldScore> fit_rbf(const GramMatrix& gram, const FitsByC& known, const Job& job);
  Result<FoldScore> fit_linear(const Job& job);
  void run_jobs(std::span<const Job> jobs, const GramMatrix* gram, FitsByC* rbf);

  const SvmGridProblem& problem_;
  const SvmGridOptions& options_;
  std::vector<Fold> folds_;
  std::map<double, FitsByC> rbf_;  ///< by gamma
  FitsByC linear_;
  std::size_t total_ = 0;

  Workspaces workspaces_;
  std::mutex mutex_;  ///< guards what follows, and the fits while jobs run
  std::size_t done_ = 0;
  std::optional<Error> failed_;
};

/// Long fits (great C) first, so that no thread is left with one at the end; but the greatest C second, since a fit
/// that never met its bound serves all greater C.
std::vector<Search::Job> Search::jobs_of(const FitsByC& fits, bool rbf, std::size_t folds) {
  std::vector<double> values;
  for (const auto& [C, unused] : fits) values.push_back(C);
  std::reverse(values.begin(), values.end());
  if (rbf && values.size() > 1) std::swap(values[0], values[1]);
  std::vector<Job> jobs;
  for (const double C : values) {
    for (std::size_t fold = 0; fold < folds; ++fold) jobs.push_back({rbf, C, fold});
  }
  return jobs;
}

bool Search::stopping() {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return true;
  }
  return options_.stop_requested && options_.stop_requested();
}

double Search::f1_of(const Fold& fold, std::span<const double> decisions) const {
  std::vector<std::uint8_t> labels;
  std::vector<std::uint8_t> decided;
  for (std::size_t k = 0; k < fold.held.size(); ++k) {
    labels.push_back(problem_.labels[fold.held[k]]);
    decided.push_back(decisions[k] > 0 ? 1 : 0);
  }
  return metrics::confusion(labels, decided).f1();
}

Result<FoldScore> Search::fit_rbf(const GramMatrix& gram, const FitsByC& known, const Job& job) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [C, fits] : known) {
      if (C < job.C && fits[job.fold] && fits[job.fold]->never_at_bound) return *fits[job.fold];
    }
  }
  const Fold& fold = folds_[job.fold];
  const Workspaces::Loan workspace(workspaces_);
  SvcOptions options;
  options.C = job.C;
  options.tolerance = options_.tolerance;
  options.stop_requested = options_.stop_requested;
  // Class 0 is LIBSVM's +1, as scikit-learn has it; the decision is turned.
  DROPSCORE_TRY(const SvcFit fit, fit_svc(gram, fold.class_0, fold.class_1, options, *workspace));
  std::vector<double> decisions(fold.held.size());
  decide_from_gram(gram, fit.rows, fit.coefficients, fit.rho, fold.held, decisions);
  for (double& decision : decisions) decision = -decision;
  return FoldScore{f1_of(fold, decisions), fit.iterations, fit.never_at_bound};
}

Result<FoldScore> Search::fit_linear(const Job& job) {
  const Fold& fold = folds_[job.fold];
  LinearSvmProblem linear;
  linear.rows = problem_.rows;
  linear.chosen = fold.fitted;
  linear.labels = problem_.labels;
  linear.C = job.C;
  linear.tolerance = 1e-5;
  linear.stop_requested = options_.stop_requested;
  DROPSCORE_TRY(const LinearSvmResult fit, solve_linear_svm(linear));
  std::vector<double> decisions;
  for (const std::uint32_t row : fold.held) {
    double decision = fit.bias;
    for (std::size_t f = 0; f < fit.weights.size(); ++f) decision += fit.weights[f] * problem_.rows(row, f);
    decisions.push_back(decision);
  }
  return FoldScore{f1_of(fold, decisions), fit.steps, false};
}

void Search::run_jobs(std::span<const Job> jobs, const GramMatrix* gram, FitsByC* rbf) {
  for_each_index(jobs.size(), options_.threads, [&](std::size_t index) {
    const Job& job = jobs[index];
    if (stopping()) return;
    auto score = job.rbf ? fit_rbf(*gram, *rbf, job) : fit_linear(job);
    const std::lock_guard lock(mutex_);
    if (!score) {
      if (!failed_) failed_ = std::move(score).error();
      return;
    }
    (job.rbf ? *rbf : linear_)[job.C][job.fold] = *score;
    ++done_;
    if (options_.progress) options_.progress(done_, total_);
  });
}

Result<std::vector<SvmGridScore>> Search::run() {
  if (!rbf_.empty()) {
    DROPSCORE_TRY(GramMatrix gram, GramMatrix::allocate(problem_.rows.rows));
    for (auto& [gamma, fits] : rbf_) {
      if (stopping()) break;
      gram.fill(problem_.rows, model::Kernel::rbf, gamma, options_.threads);
      run_jobs(jobs_of(fits, true, folds_.size()), &gram, &fits);
    }
  }
  run_jobs(jobs_of(linear_, false, folds_.size()), nullptr, nullptr);
  if (failed_) return tl::unexpected<Error>(*std::move(failed_));
  if (done_ < total_) return fail(ErrorKind::give_up, "the search was stopped");

  std::vector<SvmGridScore> scores;
  for (const model::SvmParameters& point : problem_.points) {
    SvmGridScore score{point, {}, 0, 0};
    double sum = 0;
    for (const auto& fold : point.kernel == model::Kernel::rbf ? rbf_[point.gamma][point.C] : linear_[point.C]) {
      score.fold_f1.push_back(fold->f1);
      score.iterations += fold->iterations;
      sum += fold->f1;
    }
    score.mean_f1 = sum / static_cast<double>(folds_.size());
    scores.push_back(std::move(score));
  }
  return scores;
}

}  // namespace

Result<std::vector<SvmGridScore>> search_svm_grid(const SvmGridProblem& problem, const SvmGridOptions& options) {
  assert(problem.labels.size() == problem.rows.rows && problem.fold_of_row.size() == problem.rows.rows);
  return Search(problem, options).run();
}

const SvmGridScore& best_of(std::span<const SvmGridScore> scores) {
  assert(!scores.empty());
  return *std::max_element(scores.begin(), scores.end(),
                           [](const SvmGridScore& a, const SvmGridScore& b) { return a.mean_f1 < b.mean_f1; });
}

std::vector<model::SvmParameters> original_svm_grid() {
  std::vector<model::SvmParameters> points;
  for (const double C : {0.1, 1.0, 10.0, 100.0}) {
    for (const double gamma : {0.001, 0.01, 0.1, 1.0}) {
      for (const model::Kernel kernel : {model::Kernel::rbf, model::Kernel::linear})
        points.push_back({kernel, C, gamma});
    }
  }
  return points;
}

}  // namespace dropscore::learn
