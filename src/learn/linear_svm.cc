#include "learn/linear_svm.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace dropscore::learn {
namespace {

using Vector = std::vector<double>;

/// Cholesky's factor of a symmetric positive definite matrix, row-major, in its lower triangle.
class Factor {
 public:
  explicit Factor(std::size_t size) : size_(size), values_(size * size) {}
  double& at(std::size_t row, std::size_t column) { return values_[row * size_ + column]; }

  void factorise() {
    for (std::size_t j = 0; j < size_; ++j) {
      for (std::size_t i = j; i < size_; ++i) {
        double value = at(i, j);
        for (std::size_t k = 0; k < j; ++k) value -= at(i, k) * at(j, k);
        at(i, j) = i == j ? std::sqrt(std::max(value, 1e-300)) : value / at(j, j);
      }
    }
  }

  void solve(Vector& x) {
    for (std::size_t i = 0; i < size_; ++i) {
      for (std::size_t k = 0; k < i; ++k) x[i] -= at(i, k) * x[k];
      x[i] /= at(i, i);
    }
    for (std::size_t i = size_; i-- > 0;) {
      for (std::size_t k = i + 1; k < size_; ++k) x[i] -= at(k, i) * x[k];
      x[i] /= at(i, i);
    }
  }

 private:
  std::size_t size_;
  Vector values_;
};

/// The dual: a in [0, C], with prices `lower` >= 0 of a >= 0 and `upper` >= 0 of a <= C; the bias is the price of
/// sum y a = 0. At the optimum lower a = 0, upper (C - a) = 0 and y_i (w.x_i + b) - 1 = lower_i - upper_i.
class InteriorPoint {
 public:
  explicit InteriorPoint(const LinearSvmProblem& problem)
      : problem_(problem),
        n_(problem.chosen.size()),
        features_(problem.rows.columns),
        rows_(n_ * features_),
        sign_(n_),
        a_(n_, problem.C / 2),
        lower_(n_),
        upper_(n_),
        residual_(n_),
        inverse_(n_),
        target_(n_),
        change_(n_),
        along_sign_(n_),
        change_lower_(n_),
        change_upper_(n_),
        factor_(features_) {
    for (std::size_t i = 0; i < n_; ++i) {
      const std::uint32_t row = problem.chosen[i];
      sign_[i] = problem.labels[row] != 0 ? 1 : -1;
      for (std::size_t f = 0; f < features_; ++f) rows_[i * features_ + f] = sign_[i] * problem.rows(row, f);
    }
    weights_ = transposed_times(a_);
    for (std::size_t i = 0; i < n_; ++i) {
      const double gradient = signed_dot(i, weights_) - 1;
      lower_[i] = std::max(1.0, gradient);
      upper_[i] = std::max(1.0, -gradient);
    }
  }

  Result<LinearSvmResult> solve();

 private:
  static constexpr std::uint32_t max_steps = 200;

  double signed_dot(std::size_t i, const Vector& vector) const {
    const double* row = rows_.data() + i * features_;
    double sum = 0;
    for (std::size_t f = 0; f < features_; ++f) sum += row[f] * vector[f];
    return sum;
  }
  Vector transposed_times(const Vector& vector) const {
    Vector out(features_);
    for (std::size_t i = 0; i < n_; ++i) {
      const double* row = rows_.data() + i * features_;
      for (std::size_t f = 0; f < features_; ++f) out[f] += vector[i] * row[f];
    }
    return out;
  }

  double gap() const;
  double hinge_objective() const;
  void measure();
  void factorise();
  Vector solve_system(const Vector& right) const;
  void direction(double centre, bool corrected);
  double longest_step() const;
  void advance(double length);

  const LinearSvmProblem& problem_;
  std::size_t n_;
  std::size_t features_;
  Vector rows_;  ///< y_i x_i
  Vector sign_;
  Vector a_;
  Vector lower_;
  Vector upper_;
  Vector weights_;  ///< sum_i a_i y_i x_i
  double bias_ = 0;
  Vector residual_;       ///< y_i (w.x_i + b) - 1 - lower_i + upper_i
  double imbalance_ = 0;  ///< sum y a
  Vector inverse_;        ///< 1 / (lower / a + upper / (C - a))
  Vector target_;
  Vector change_;      ///< of a
  Vector along_sign_;  ///< the system's answer to y
  double change_bias_ = 0;
  Vector change_lower_;
  Vector change_upper_;
  mutable Factor factor_;
};

double InteriorPoint::gap() const {
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) sum += lower_[i] * a_[i] + upper_[i] * (problem_.C - a_[i]);
  return sum;
}

double InteriorPoint::hinge_objective() const {
  double squares = 0;
  for (const double weight : weights_) squares += weight * weight;
  double loss = 0;
  for (std::size_t i = 0; i < n_; ++i) loss += std::max(0.0, 1 - signed_dot(i, weights_) - sign_[i] * bias_);
  return squares / 2 + problem_.C * loss;
}

void InteriorPoint::measure() {
  imbalance_ = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    residual_[i] = signed_dot(i, weights_) + sign_[i] * bias_ - 1 - lower_[i] + upper_[i];
    imbalance_ += sign_[i] * a_[i];
  }
}

/// I + sum_i inverse_i x_i x_i^T, and the system's answer to y.
void InteriorPoint::factorise() {
  for (std::size_t i = 0; i < n_; ++i) inverse_[i] = 1 / (lower_[i] / a_[i] + upper_[i] / (problem_.C - a_[i]));
  for (std::size_t f = 0; f < features_; ++f) {
    for (std::size_t g = 0; g <= f; ++g) factor_.at(f, g) = f == g ? 1 : 0;
  }
  for (std::size_t i = 0; i < n_; ++i) {
    const double* row = rows_.data() + i * features_;
    for (std::size_t f = 0; f < features_; ++f) {
      const double scaled = inverse_[i] * row[f];
      double* sums = &factor_.at(f, 0);
      for (std::size_t g = 0; g <= f; ++g) sums[g] += scaled * row[g];
    }
  }
  factor_.factorise();
  along_sign_ = solve_system(sign_);
}

/// (D + Z Z^T)^-1 right, with D = 1 / inverse_ and Z's rows y_i x_i, by Sherman, Morrison and Woodbury.
Vector InteriorPoint::solve_system(const Vector& right) const {
  Vector scaled(n_);
  for (std::size_t i = 0; i < n_; ++i) scaled[i] = inverse_[i] * right[i];
  Vector inner = transposed_times(scaled);
  factor_.solve(inner);
  for (std::size_t i = 0; i < n_; ++i) scaled[i] -= inverse_[i] * signed_dot(i, inner);
  return scaled;
}

/// Newton's step towards lower a = upper (C - a) = centre; `corrected`: with the second-order terms of the step before.
void InteriorPoint::direction(double centre, bool corrected) {
  Vector lower_goal(n_, centre);
  Vector upper_goal(n_, centre);
  for (std::size_t i = 0; i < n_; ++i) {
    if (corrected) {
      lower_goal[i] -= change_lower_[i] * change_[i];
      upper_goal[i] += change_upper_[i] * change_[i];
    }
    target_[i] = -residual_[i] + lower_goal[i] / a_[i] - lower_[i] - upper_goal[i] / (problem_.C - a_[i]) + upper_[i];
  }
  const Vector along_target = solve_system(target_);
  double numerator = imbalance_;
  double denominator = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    numerator += sign_[i] * along_target[i];
    denominator += sign_[i] * along_sign_[i];
  }
  change_bias_ = numerator / denominator;
  for (std::size_t i = 0; i < n_; ++i) {
    const double room = problem_.C - a_[i];
    change_[i] = along_target[i] - along_sign_[i] * change_bias_;
    change_lower_[i] = (lower_goal[i] - lower_[i] * change_[i]) / a_[i] - lower_[i];
    change_upper_[i] = (upper_goal[i] + upper_[i] * change_[i]) / room - upper_[i];
  }
}

/// How far all stay positive, at most 1.
double InteriorPoint::longest_step() const {
  double length = 1;
  const auto limit = [&](double value, double change) {
    if (change < 0) length = std::min(length, -value / change);
  };
  for (std::size_t i = 0; i < n_; ++i) {
    limit(a_[i], change_[i]);
    limit(problem_.C - a_[i], -change_[i]);
    limit(lower_[i], change_lower_[i]);
    limit(upper_[i], change_upper_[i]);
  }
  return length;
}

void InteriorPoint::advance(double length) {
  const double top = std::nextafter(problem_.C, 0.0);
  for (std::size_t i = 0; i < n_; ++i) {
    a_[i] = std::min(std::max(a_[i] + length * change_[i], 1e-300), top);
    lower_[i] += length * change_lower_[i];
    upper_[i] += length * change_upper_[i];
  }
  bias_ += length * change_bias_;
  weights_ = transposed_times(a_);
}

Result<LinearSvmResult> InteriorPoint::solve() {
  LinearSvmResult best;
  best.objective = std::numeric_limits<double>::infinity();
  for (std::uint32_t step = 0; step < max_steps; ++step) {
    if (problem_.stop_requested && problem_.stop_requested()) {
      return fail(ErrorKind::give_up, "fitting the support vector machine was stopped");
    }
    // Weights and bias are a solution of the hinge-loss problem at any time, so the best so far is kept.
    const double objective = hinge_objective();
    if (objective < best.objective) {
      best.weights = weights_;
      best.bias = bias_;
      best.objective = objective;
    }
    best.steps = step;
    measure();
    const double before = gap();
    double worst = std::abs(imbalance_) / problem_.C;
    for (const double residual : residual_) worst = std::max(worst, std::abs(residual));
    if (before <= problem_.tolerance * (1 + objective) && worst <= 1e-6) {
      best.converged = true;
      break;
    }
    factorise();
    direction(0, false);
    const double reach = longest_step();
    double after = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      after += (lower_[i] + reach * change_lower_[i]) * (a_[i] + reach * change_[i]) +
               (upper_[i] + reach * change_upper_[i]) * (problem_.C - a_[i] - reach * change_[i]);
    }
    const double ratio = after / before;
    direction(ratio * ratio * ratio * before / (2 * static_cast<double>(n_)), true);
    const double length = std::min(1.0, 0.995 * longest_step());
    if (!(length > 1e-12)) break;  // also when numbers have run out
    advance(length);
  }
  return best;
}

}  // namespace

Result<LinearSvmResult> solve_linear_svm(const LinearSvmProblem& problem) {
  assert(problem.C > 0 && problem.rows.rows == problem.labels.size());
  return InteriorPoint(problem).solve();
}

}  // namespace dropscore::learn
