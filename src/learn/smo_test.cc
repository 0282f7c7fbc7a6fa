#include "learn/smo.h"

#include <atomic>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <rapidcheck/gtest.h>

#include "learn/svc_fit.h"
#include "learn/svm_test_data.h"

namespace dropscore::learn {
namespace {

struct Case {
  std::size_t rows;
  std::size_t columns;
  double C;  // NOLINT(readability-identifier-naming)
  double gamma;
  bool grid = false;
  model::Kernel kernel = model::Kernel::rbf;
};

GramMatrix gram_of(const TestData& data, model::Kernel kernel, double gamma) {
  GramMatrix gram = GramMatrix::allocate(data.rows.rows()).value();
  gram.fill(data.rows, kernel, gamma, 1);
  return gram;
}

SmoProblem problem_of(const GramMatrix& gram, const std::vector<std::uint32_t>& order,
                      const std::vector<std::int8_t>& signs, double C) {  // NOLINT(readability-identifier-naming)
  SmoProblem problem;
  problem.gram = &gram;
  problem.rows = order;
  problem.signs = signs;
  problem.C = C;
  return problem;
}

std::vector<std::int8_t> signs_of(const TestData& data) {
  std::vector<std::int8_t> signs(data.rows.rows(), -1);
  std::fill_n(signs.begin(), data.class_0.size(), std::int8_t{1});
  return signs;
}

/// Every multiplier and rho are LIBSVM's, bit for bit.
void expect_libsvm(const Case& c, std::uint64_t seed) {
  const TestData data(c.rows, c.columns, seed, c.grid);
  const LibsvmFit libsvm(data.rows, data.class_0, data.class_1, {c.kernel, c.C, c.gamma});
  const GramMatrix gram = gram_of(data, c.kernel, c.gamma);
  const std::vector<std::int8_t> signs = signs_of(data);
  SmoWorkspace workspace;
  const SmoResult ours = solve_smo(problem_of(gram, libsvm.order, signs, c.C), workspace).value();
  EXPECT_TRUE(ours.converged);
  EXPECT_EQ(ours.multipliers, libsvm.multipliers()) << c.rows << " rows, C " << c.C << ", gamma " << c.gamma;
  EXPECT_EQ(ours.rho, libsvm.rho());
}

TEST(Smo, TakesLibsvmsStepsOnSmallProblems) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    expect_libsvm({40 + seed * 7, 3, 1.0, 0.5}, seed);
    expect_libsvm({30 + seed, 2, 50.0, 2.0}, seed);
    expect_libsvm({64, 5, 0.05, 0.1}, seed);
  }
  expect_libsvm({2, 1, 1.0, 1.0}, 1);
}

TEST(Smo, TakesLibsvmsStepsWhenCandidatesTie) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    expect_libsvm({300, 2, 1.0, 0.5, true}, seed);
    expect_libsvm({200, 3, 20.0, 8.0, true}, seed);
  }
}

TEST(Smo, TakesLibsvmsStepsThroughShrinking) {
  expect_libsvm({1500, 4, 1.0, 0.2}, 1);
  expect_libsvm({1500, 4, 100.0, 0.05}, 2);
  expect_libsvm({1300, 8, 10.0, 1.0}, 3);
  expect_libsvm({1300, 2, 30.0, 0.5, true}, 4);
  expect_libsvm({700, 3, 0.01, 0.01}, 5);
}

TEST(Smo, TakesLibsvmsStepsWithTheLinearKernel) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    expect_libsvm({200, 3, 0.5, 0, false, model::Kernel::linear}, seed);
    expect_libsvm({100, 2, 2.0, 0, true, model::Kernel::linear}, seed);
  }
}

/// Runs `work` once for each generation of processors that this one can stand in for.
template <class Work>
void on_each_target(Work&& work) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(left & -left);
    work();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

TEST(Smo, AnswersAreTheSameOnEveryProcessor) {
  std::size_t targets = 0;
  on_each_target([&] {
    ++targets;
    expect_libsvm({1300, 4, 50.0, 0.2}, 6);
    expect_libsvm({333, 2, 2.0, 1.0, true}, 7);
    expect_libsvm({200, 3, 0.5, 0, false, model::Kernel::linear}, 8);
    const TestData data(200, 4, 13);
    const GramMatrix gram = gram_of(data, model::Kernel::rbf, 0.2);
    const LibsvmFit libsvm(data.rows, data.class_0, data.class_1, {model::Kernel::rbf, 3.0, 0.2});
    SvcOptions options;
    options.C = 3.0;
    SmoWorkspace workspace;
    const SvcFit fit = fit_svc(gram, data.class_0, data.class_1, options, workspace).value();
    std::vector<double> decided(data.class_0.size());
    gram.decide(fit.rows, fit.coefficients, fit.rho, data.class_0, decided);
    for (std::size_t k = 0; k < decided.size(); ++k) EXPECT_EQ(decided[k], libsvm.decide(data.class_0[k]));
  });
  EXPECT_GE(targets, 2U);
}

RC_GTEST_PROP(Smo, IsOptimalWithinItsTolerance, (std::uint64_t seed)) {
  const auto rows = *rc::gen::inRange<std::size_t>(2, 150);
  const double C = *rc::gen::element(0.1, 1.0, 30.0);  // NOLINT(readability-identifier-naming)
  const double gamma = *rc::gen::element(0.05, 1.0, 40.0);
  const TestData data(rows, 3, seed, seed % 3 == 0);
  const GramMatrix gram = gram_of(data, model::Kernel::rbf, gamma);
  std::vector<std::uint32_t> order = data.class_0;
  order.insert(order.end(), data.class_1.begin(), data.class_1.end());
  const std::vector<std::int8_t> signs = signs_of(data);
  SmoWorkspace workspace;
  const SmoResult result = solve_smo(problem_of(gram, order, signs, C), workspace).value();
  double balance = 0;
  double objective = 0;
  double least_up = std::numeric_limits<double>::infinity();
  double greatest_down = -least_up;
  for (std::size_t i = 0; i < rows; ++i) {
    const double a = result.multipliers[i];
    RC_ASSERT(a >= 0 && a <= C);
    balance += signs[i] * a;
    double score = -signs[i];
    for (std::size_t j = 0; j < rows; ++j) score += signs[j] * result.multipliers[j] * gram.row(order[i])[order[j]];
    objective += a * (signs[i] * score - 1) / 2;
    if (signs[i] > 0 ? a < C : a > 0) least_up = std::min(least_up, score);
    if (signs[i] > 0 ? a > 0 : a < C) greatest_down = std::max(greatest_down, score);
  }
  RC_ASSERT(std::abs(balance) < 1e-9 * C * static_cast<double>(rows));
  RC_ASSERT(greatest_down - least_up < 1e-3 + 1e-6);
  RC_ASSERT(std::abs(objective - result.objective) < 1e-6 * (1 + std::abs(objective)));
}

TEST(Smo, AFitThatNeverMetItsBoundIsThatOfAnyGreaterBound) {
  const TestData data(400, 3, 8);
  const GramMatrix gram = gram_of(data, model::Kernel::rbf, 30.0);
  std::vector<std::uint32_t> order = data.class_0;
  order.insert(order.end(), data.class_1.begin(), data.class_1.end());
  const std::vector<std::int8_t> signs = signs_of(data);
  SmoWorkspace workspace;
  EXPECT_FALSE(solve_smo(problem_of(gram, order, signs, 0.5), workspace)->never_at_bound);
  const SmoResult some = solve_smo(problem_of(gram, order, signs, 1e4), workspace).value();
  const SmoResult more = solve_smo(problem_of(gram, order, signs, 1e7), workspace).value();
  ASSERT_TRUE(some.never_at_bound);
  EXPECT_EQ(some.multipliers, more.multipliers);
  EXPECT_EQ(some.iterations, more.iterations);
}

TEST(Smo, GivesUpWhenStoppedAndSaysWhenItRanOutOfIterations) {
  const TestData data(1200, 2, 9);
  const GramMatrix gram = gram_of(data, model::Kernel::rbf, 1.0);
  std::vector<std::uint32_t> order = data.class_0;
  order.insert(order.end(), data.class_1.begin(), data.class_1.end());
  const std::vector<std::int8_t> signs = signs_of(data);
  SmoWorkspace workspace;
  SmoProblem problem = problem_of(gram, order, signs, 1000);
  problem.stop_requested = [] { return true; };
  const auto stopped = solve_smo(problem, workspace);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::give_up);
  problem.stop_requested = {};
  problem.max_iterations = 1500;
  const SmoResult cut = solve_smo(problem, workspace).value();
  EXPECT_FALSE(cut.converged);
  EXPECT_EQ(cut.iterations, 1500U);
}

TEST(SvcFit, DecidesAsLibsvmToTheLastBit) {
  const TestData data(500, 4, 10);
  for (const model::Kernel kernel : {model::Kernel::rbf, model::Kernel::linear}) {
    const LibsvmFit libsvm(data.rows, data.class_0, data.class_1, {kernel, 2.0, 0.3});
    const GramMatrix gram = gram_of(data, kernel, 0.3);
    SvcOptions options;
    options.C = 2.0;
    SmoWorkspace workspace;
    const SvcFit fit = fit_svc(gram, data.class_0, data.class_1, options, workspace).value();
    std::vector<std::uint32_t> all(500);
    for (std::uint32_t row = 0; row < 500; ++row) all[row] = row;
    std::vector<double> exact(500);
    gram.decide(fit.rows, fit.coefficients, fit.rho, all, exact);
    std::vector<double> rounded(500);
    decide_from_gram(gram, fit.rows, fit.coefficients, fit.rho, all, rounded);
    for (std::uint32_t row = 0; row < 500; ++row) {
      if (kernel == model::Kernel::rbf) {
        EXPECT_EQ(exact[row], libsvm.decide(row));
      }
      EXPECT_NEAR(exact[row], libsvm.decide(row), 1e-10);  // linear: LIBSVM's dense and sparse dot products differ
      EXPECT_NEAR(rounded[row], exact[row], 1e-4);
    }
  }
}

TEST(SvcFit, OutOfFoldDecisionsAreEachFoldsOwnWhateverTheThreads) {
  const TestData data(600, 4, 11);
  const GramMatrix gram = gram_of(data, model::Kernel::rbf, 0.2);
  const std::vector<SvcFold> folds = original_inner_folds(data.labels, 1608637542);
  SvcOptions options;
  options.C = 5.0;
  const SvcFold whole{data.class_0, data.class_1, {}};
  SvcFit fit_one;
  SvcFit fit_two;
  const std::vector<double> one = decide_out_of_fold(gram, folds, options, &whole, &fit_one).value();
  options.threads = 2;
  const std::vector<double> two = decide_out_of_fold(gram, folds, options, &whole, &fit_two).value();
  EXPECT_EQ(one, two);
  EXPECT_EQ(fit_one.coefficients, fit_two.coefficients);
  EXPECT_EQ(fit_one.rows, fit_two.rows);
  EXPECT_EQ(fit_one.rho, LibsvmFit(data.rows, data.class_0, data.class_1, {model::Kernel::rbf, 5.0, 0.2}).rho());
  std::size_t held = 0;
  for (const SvcFold& fold : folds) {
    const LibsvmFit libsvm(data.rows, fold.first, fold.second, {model::Kernel::rbf, 5.0, 0.2});
    for (const std::uint32_t row : fold.held) EXPECT_EQ(one[row], libsvm.decide(row));
    held += fold.held.size();
    EXPECT_EQ(fold.first.size() + fold.second.size() + fold.held.size(), 600U);
  }
  EXPECT_EQ(held, 600U);
}

TEST(SvcFit, AFoldWithoutOneClassDecidesForTheOther) {
  const TestData data(20, 2, 12);
  const GramMatrix gram = gram_of(data, model::Kernel::rbf, 1.0);
  const std::vector<SvcFold> folds{{{}, data.class_1, {0}}, {data.class_0, {}, {1}}, {{}, {}, {2}}};
  const std::vector<double> decisions = decide_out_of_fold(gram, folds, {}).value();
  EXPECT_THAT(std::vector<double>(decisions.begin(), decisions.begin() + 3), testing::ElementsAre(-1, 1, 0));
}

}  // namespace
}  // namespace dropscore::learn
