#include "learn/logistic.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "learn/cholesky.h"
#include "learn/chunks.h"
#include "learn/parameters.h"
#include "learn/svm.h"
#include "model/calibration.h"

namespace dropscore::learn {
namespace {

constexpr int max_iterations = 100;
constexpr double enough = 1e-9;  // Newton's last step: its square is what is still missing

/// Gradient and Hessian of the loss, the intercept at 0 and the coefficients after it.
struct Curvature {
  std::vector<double> gradient;
  std::vector<double> hessian;  ///< row-major, lower half

  explicit Curvature(std::size_t size) : gradient(size), hessian(size * size) {}
  void add(const Curvature& other) {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += other.gradient[i];
    for (std::size_t i = 0; i < hessian.size(); ++i) hessian[i] += other.hessian[i];
  }
  void add_row(std::span<const double> x, double residual, double weight) {
    for (std::size_t u = 0; u < x.size(); ++u) {
      gradient[u] += residual * x[u];
      const double scaled = weight * x[u];
      for (std::size_t v = 0; v <= u; ++v) hessian[u * x.size() + v] += scaled * x[v];
    }
  }
};

struct Problem {
  const TrainingSet& data;
  const model::Standardizer& standardizer;
  double C;  // NOLINT(readability-identifier-naming): the field's own name
  unsigned threads;

  std::size_t size() const { return data.rows.columns + 1; }

  /// x = 1 and the standardized row; returns w.x.
  double read(std::size_t row, const std::vector<double>& w, std::vector<double>& x) const {
    x[0] = 1;
    double score = w[0];
    for (std::size_t j = 1; j < x.size(); ++j) {
      x[j] = standardizer.apply(data.rows(row, j - 1), j - 1);
      score += w[j] * x[j];
    }
    return score;
  }

  double loss(const std::vector<double>& w) const {
    const auto add_rows = [&](Total& sum, std::size_t begin, std::size_t end) {
      std::vector<double> x(size());
      for (std::size_t i = begin; i < end; ++i) {
        const double score = read(i, w, x);
        // log(1 + exp(-y score)) without overflow
        const double against = data.labels[i] != 0 ? -score : score;
        sum.value += std::max(against, 0.0) + std::log1p(std::exp(-std::abs(against)));
      }
    };
    double ridge = 0;
    for (std::size_t j = 1; j < w.size(); ++j) ridge += w[j] * w[j] / 2;
    return sum_chunks(data.rows.rows, threads, Total{}, add_rows).value + ridge / C;
  }

  /// Newton's step from w, nothing where the system has no single solution.
  std::optional<std::vector<double>> step(const std::vector<double>& w) const {
    const auto add_rows = [&](Curvature& sum, std::size_t begin, std::size_t end) {
      std::vector<double> x(size());
      for (std::size_t i = begin; i < end; ++i) {
        const double p = model::sigmoid(read(i, w, x), -1, 0);
        sum.add_row(x, (data.labels[i] != 0 ? 1.0 : 0.0) - p, p * (1 - p));
      }
    };
    Curvature all = sum_chunks(data.rows.rows, threads, Curvature(size()), add_rows);
    for (std::size_t j = 1; j < size(); ++j) {
      all.gradient[j] -= w[j] / C;
      all.hessian[j * (size() + 1)] += 1 / C;
    }
    if (!solve_cholesky(all.hessian, all.gradient)) return std::nullopt;
    return all.gradient;
  }
};

class LogisticLearner final : public Learner {
 public:
  std::string_view name() const override { return "logistic"; }
  Parameters defaults() const override { return {{"C", "1"}}; }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& given,
                                                const LearnContext& context) const override {
    assert(data.rows.rows == data.labels.size());
    DROPSCORE_TRY(const Parameters parameters, with_defaults(*this, given));
    model::LogisticForm form;
    DROPSCORE_TRY(form.C, positive_number(*this, parameters, "C"));
    form.standardizer = fit_standardizer(data);
    const Problem problem{data, form.standardizer, form.C, context.threads};
    DROPSCORE_TRY(const std::vector<double> w, solve(problem, context));
    form.intercept = w[0];
    form.coefficients.assign(w.begin() + 1, w.end());
    return std::make_unique<model::Logistic>(std::move(form));
  }

 private:
  /// Newton's method, each step halved until the loss falls.
  static Result<std::vector<double>> solve(const Problem& problem, const LearnContext& context) {
    std::vector<double> w(problem.size());
    double value = problem.loss(w);
    for (int iteration = 0; iteration < max_iterations; ++iteration) {
      if (context.stop_requested()) return fail(ErrorKind::give_up, "stopped while fitting");
      const auto step = problem.step(w);
      if (!step) return fail(ErrorKind::give_up, "logistic: columns say the same thing; a smaller C tells them apart");
      double largest = 0;
      for (const double one : *step) largest = std::max(largest, std::abs(one));
      std::vector<double> next(w.size());
      double next_value = value;
      double share = 1;
      for (; share >= 0x1p-20; share /= 2) {
        for (std::size_t j = 0; j < w.size(); ++j) next[j] = w[j] + share * (*step)[j];
        next_value = problem.loss(next);
        if (next_value < value) break;
      }
      // At the optimum rounding decides whether the loss still falls: nothing is left to win.
      if (share < 0x1p-20) return w;
      w = next;
      value = next_value;
      if (largest < enough) break;
    }
    return w;
  }
};

}  // namespace

const Learner& logistic_learner() {
  static const LogisticLearner learner;
  return learner;
}

}  // namespace dropscore::learn
