#include "model/svm.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "model/calibration.h"
#include "tests/support/simd_targets.h"

namespace dropscore::model {
namespace {

/// A made-up machine of a real one's size: coefficients at +-C that add up to 0, standardized support vectors.
SvmForm any_form(std::size_t columns, std::size_t vectors, SvmParameters parameters, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  SvmForm form;
  form.parameters = parameters;
  for (std::size_t j = 0; j < columns; ++j) {
    form.standardizer.mean.push_back(normal(engine) * 100);
    form.standardizer.scale.push_back(std::exp(normal(engine)));
    form.standardizer.fill.push_back(form.standardizer.mean.back() + 1);
    form.standardizer.categorical.push_back(false);
  }
  form.support_vectors = features::Matrix<double>(vectors, columns);
  for (std::size_t i = 0; i < vectors; ++i) {
    for (double& value : form.support_vectors.row(i)) value = normal(engine);
    form.coefficients.push_back(i < vectors / 2 ? -parameters.C : parameters.C);
  }
  form.negative_support_vectors = vectors / 2;
  form.rho = -0.5;
  return form;
}

features::Matrix<float> any_rows(const Standardizer& standardizer, std::size_t rows, double spread, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  features::Matrix<float> out(rows, standardizer.mean.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < out.columns(); ++j) {
      out(i, j) = static_cast<float>(standardizer.mean[j] + standardizer.scale[j] * spread * normal(engine));
    }
  }
  return out;
}

features::Matrix<double> widen(const features::Matrix<float>& rows) {
  features::Matrix<double> out(rows.rows(), rows.columns());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.columns(); ++j) out(i, j) = static_cast<double>(rows(i, j));
  }
  return out;
}

std::vector<double> decide(const Svm& svm, const features::Matrix<double>& rows) {
  std::vector<double> out(rows.rows());
  svm.decide(rows.view(), out);
  return out;
}
std::vector<double> decide(const Svm& svm, const features::Matrix<float>& rows) {
  std::vector<double> out(rows.rows());
  svm.decide(rows.view(), out);
  return out;
}

TEST(Svm, IsItsFormula) {
  for (const Kernel kernel : {Kernel::rbf, Kernel::linear}) {
    const SvmForm form = any_form(5, 70, {.kernel = kernel, .C = 2, .gamma = 0.3}, 1);
    const features::Matrix<double> rows = widen(any_rows(form.standardizer, 20, 1, 2));
    features::Matrix<double> x;
    form.standardizer.apply(rows.view(), x);
    const std::vector<double> decisions = decide(Svm(form), rows);
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      double sum = -form.rho;
      for (std::size_t i = 0; i < form.coefficients.size(); ++i) {
        double dot = 0;
        double distance = 0;
        for (std::size_t j = 0; j < x.columns(); ++j) {
          dot += x(row, j) * form.support_vectors(i, j);
          distance += std::pow(x(row, j) - form.support_vectors(i, j), 2);
        }
        sum += form.coefficients[i] * (kernel == Kernel::linear ? dot : std::exp(-form.parameters.gamma * distance));
      }
      EXPECT_NEAR(decisions[row], sum, 1e-11);
    }
  }
}

// Of the decision value, which the sigmoid then flattens: by |A| / 4, about 0.6 in practice.
TEST(Svm, SinglePrecisionStaysWithin1e5OfDouble) {
  for (const double gamma : {0.0, 0.001, 0.01, 0.03, 0.0625, 0.1, 10.0}) {
    for (const double c : {1.0, 10.0, 100.0}) {
      const Svm svm(any_form(16, 1685, {.kernel = Kernel::rbf, .C = c, .gamma = gamma}, 17));
      const features::Matrix<float> rows = any_rows(svm.form().standardizer, 100, 1.0, 4);
      const std::vector<double> exact = decide(svm, widen(rows));
      dropscore::testing::on_each_target([&] {
        const std::vector<double> fast = decide(svm, rows);
        double worst = 0;
        for (std::size_t i = 0; i < fast.size(); ++i) worst = std::max(worst, std::abs(fast[i] - exact[i]));
        EXPECT_LT(worst, 1e-5) << "gamma " << gamma << ", C " << c;
      });
    }
  }
}

RC_GTEST_PROP(Svm, ARowDoesNotDependOnItsNeighbours, ()) {
  const auto columns = *rc::gen::inRange<std::size_t>(1, 20);
  const auto vectors = *rc::gen::inRange<std::size_t>(1, 100);
  const auto gamma = *rc::gen::element(0.001, 0.1, 2.0);
  const Svm svm(any_form(columns, vectors, {.kernel = Kernel::rbf, .C = 1, .gamma = gamma}, 5));
  const features::Matrix<float> rows = any_rows(svm.form().standardizer, 7, 2.0, *rc::gen::arbitrary<unsigned>());
  const std::vector<double> together = decide(svm, rows);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double alone = 0;
    svm.decide(rows.view().block(i, 1), std::span(&alone, 1));
    RC_ASSERT(alone == together[i]);
  }
}

TEST(Svm, NoCellMakesItNaN) {
  for (const Kernel kernel : {Kernel::rbf, Kernel::linear}) {
    const Svm svm(any_form(3, 40, {.kernel = kernel, .C = 1, .gamma = 0.01}, 6));
    features::Matrix<float> rows(4, 3);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float huge = std::numeric_limits<float>::max();
    const float infinite = std::numeric_limits<float>::infinity();
    const std::vector<float> cells{nan, 1, 2, huge, -huge, 0, infinite, -infinite, infinite, nan, nan, nan};
    std::copy(cells.begin(), cells.end(), rows.data());
    for (const double value : decide(svm, rows)) EXPECT_TRUE(std::isfinite(value));
    for (const double value : decide(svm, widen(rows))) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(Standardizer, FillsWhatIsMissingOrUnknown) {
  const Standardizer standardizer{{10, 1}, {2, 4}, {12, 3}, {false, true}};
  EXPECT_EQ(standardizer.apply(6, 0), -2);
  EXPECT_EQ(standardizer.apply(-1, 0), -5.5) << "a number may be negative";
  EXPECT_EQ(standardizer.apply(std::nan(""), 0), 1);
  EXPECT_EQ(standardizer.apply(-1, 1), 0.5) << "the code of a category that training never saw";
  EXPECT_EQ(standardizer.apply(1e300, 0), Standardizer::bound);
}

TEST(Calibration, KnownValues) {
  EXPECT_DOUBLE_EQ((Calibration{.kind = CalibrationKind::none}.probability_of(0)), 0.5);
  EXPECT_DOUBLE_EQ((Calibration{.kind = CalibrationKind::platt, .A = -2, .B = 1}.probability_of(0.5)), 0.5);
  EXPECT_EQ((Calibration{.kind = CalibrationKind::platt, .A = -1, .B = 0}.probability_of(-1e6)), 0.0) << "no overflow";
  const Calibration steps{.kind = CalibrationKind::isotonic, .decision = {0, 1, 3}, .probability = {0.25, 0.5, 1}};
  EXPECT_EQ(steps.probability_of(-5), 0.25);
  EXPECT_EQ(steps.probability_of(0.5), 0.375);
  EXPECT_EQ(steps.probability_of(1), 0.5);
  EXPECT_EQ(steps.probability_of(2), 0.75);
  EXPECT_EQ(steps.probability_of(9), 1);
}

TEST(Calibration, CouplingStaysNearItsInput) {
  for (double r = 0.0; r <= 1.0; r += 1.0 / 1024) EXPECT_NEAR(coupled_probability(r), r, 0.0051) << r;
  EXPECT_EQ(coupled_probability(0.501), 0.5) << "close to where it begins, the iteration does not begin";
}

TEST(Calibration, RefusesWhatIsNotMonotone) {
  EXPECT_FALSE((Calibration{.kind = CalibrationKind::platt, .A = 1}.check()));
  EXPECT_FALSE((Calibration{.kind = CalibrationKind::isotonic}.check()));
  EXPECT_FALSE((Calibration{.kind = CalibrationKind::isotonic, .decision = {1, 1}, .probability = {0, 1}}.check()));
  EXPECT_FALSE((Calibration{.kind = CalibrationKind::isotonic, .decision = {0, 1}, .probability = {1, 0}}.check()));
}

RC_GTEST_PROP(Calibration, NeverFalls, (double low, double high)) {
  RC_PRE(low <= high);
  const Calibration platt{.kind = CalibrationKind::platt, .A = -1.5, .B = 0.25};
  const Calibration isotonic{.kind = CalibrationKind::isotonic, .decision = {-1, 0.5, 2}, .probability = {0, 0.3, 1}};
  RC_ASSERT(platt.probability_of(low) <= platt.probability_of(high));
  RC_ASSERT(isotonic.probability_of(low) <= isotonic.probability_of(high));
}

}  // namespace
}  // namespace dropscore::model
