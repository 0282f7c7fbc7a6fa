#include "learn/linear_svm.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "learn/svm_test_data.h"

namespace dropscore::learn {
namespace {

std::vector<std::uint32_t> all_rows(const TestData& data) {
  std::vector<std::uint32_t> rows(data.rows.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

LinearSvmProblem problem_of(const TestData& data, std::span<const std::uint32_t> rows, double C) {  // NOLINT
  LinearSvmProblem problem;
  problem.rows = data.rows;
  problem.chosen = rows;
  problem.labels = data.labels;
  problem.C = C;
  return problem;
}

/// The primal objective of LIBSVM's answer, class 1 turned positive.
double libsvm_objective(const TestData& data, double C, double eps) {  // NOLINT
  const LibsvmFit fit(data.rows, data.class_1, data.class_0, {model::Kernel::linear, C, 0}, eps);
  const std::vector<double> multipliers = fit.multipliers();
  std::vector<double> weights(data.rows.columns());
  for (std::size_t i = 0; i < fit.order.size(); ++i) {
    const double y = data.labels[fit.order[i]] != 0 ? 1 : -1;
    for (std::size_t f = 0; f < weights.size(); ++f) weights[f] += y * multipliers[i] * data.rows(fit.order[i], f);
  }
  double objective = std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0) / 2;
  for (std::uint32_t row = 0; row < data.rows.rows(); ++row) {
    objective += C * std::max(0.0, 1 - (data.labels[row] != 0 ? 1 : -1) * fit.decide(row));
  }
  return objective;
}

TEST(LinearSvm, IsNoWorseThanLibsvm) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const TestData data(100 + 40 * seed, 1 + seed % 5, seed, seed % 3 == 0);
    const std::vector<std::uint32_t> rows = all_rows(data);
    for (const double C : {0.01, 0.1, 1.0, 10.0}) {
      const LinearSvmResult ours = solve_linear_svm(problem_of(data, rows, C)).value();
      const double theirs = libsvm_objective(data, C, 1e-5);
      EXPECT_TRUE(ours.converged) << seed << ' ' << C;
      EXPECT_LE(ours.objective, theirs * (1 + 1e-6)) << seed << ' ' << C;
      EXPECT_GE(ours.objective, theirs * (1 - 1e-4)) << seed << ' ' << C;
    }
  }
}

TEST(LinearSvm, ItsObjectiveIsThatOfItsWeightsAndBias) {
  const TestData data(300, 4, 21);
  const std::vector<std::uint32_t> rows = all_rows(data);
  const LinearSvmResult fit = solve_linear_svm(problem_of(data, rows, 3.0)).value();
  double objective = std::inner_product(fit.weights.begin(), fit.weights.end(), fit.weights.begin(), 0.0) / 2;
  for (const std::uint32_t row : rows) {
    double decision = fit.bias;
    for (std::size_t f = 0; f < 4; ++f) decision += fit.weights[f] * data.rows(row, f);
    objective += 3.0 * std::max(0.0, 1 - (data.labels[row] != 0 ? 1 : -1) * decision);
  }
  EXPECT_NEAR(fit.objective, objective, 1e-9 * objective);
}

TEST(LinearSvm, AGreatCTakesNoMoreThanSomeDozenSteps) {
  const TestData data(2000, 10, 22);
  const std::vector<std::uint32_t> rows = all_rows(data);
  for (const double C : {100.0, 1e4}) {
    const LinearSvmResult fit = solve_linear_svm(problem_of(data, rows, C)).value();
    EXPECT_TRUE(fit.converged);
    EXPECT_LT(fit.steps, 80U);
  }
}

TEST(LinearSvm, SeparatesWhatCanBeSeparated) {
  // x = +-1 and +-3: the widest margin is w = 1, b = 0, whose loss is 0.
  TestData data(4, 1, 23);
  const std::vector<double> values{-1, 1, -3, 3};
  data.labels = {0, 1, 0, 1};
  for (std::size_t i = 0; i < 4; ++i) data.rows(i, 0) = values[i];
  const std::vector<std::uint32_t> rows = all_rows(data);
  const LinearSvmResult fit = solve_linear_svm(problem_of(data, rows, 100.0)).value();
  EXPECT_NEAR(fit.weights[0], 1, 1e-4);
  EXPECT_NEAR(fit.bias, 0, 1e-4);
}

TEST(LinearSvm, GivesUpWhenStopped) {
  const TestData data(50, 2, 24);
  const std::vector<std::uint32_t> rows = all_rows(data);
  LinearSvmProblem problem = problem_of(data, rows, 1.0);
  problem.stop_requested = [] { return true; };
  const auto stopped = solve_linear_svm(problem);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::give_up);
}

}  // namespace
}  // namespace dropscore::learn
