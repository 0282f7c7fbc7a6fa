#include "learn/calibrate.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace dropscore::learn {
namespace {

/// Decisions and labels drawn so that P(1 | f) is what `truth` says.
struct Drawn {
  std::vector<double> decisions;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> fold_of;
};

template <class Truth>
Drawn draw(Truth truth, std::size_t rows = 4000) {
  std::mt19937 engine(7);
  const auto uniform = [&engine] { return static_cast<double>(engine()) / 4294967296.0; };
  Drawn out;
  for (std::size_t row = 0; row < rows; ++row) {
    out.decisions.push_back(8 * uniform() - 4);
    out.labels.push_back(uniform() < truth(out.decisions.back()) ? 1 : 0);
    out.fold_of.push_back(static_cast<std::uint32_t>(row % 5));
  }
  return out;
}

model::CalibrationKind chosen(const Drawn& d) { return choose_calibration(d.decisions, d.labels, d.fold_of).kind; }

TEST(ChooseCalibration, TakesTheSimplestThatFits) {
  EXPECT_EQ(chosen(draw([](double f) { return 1 / (1 + std::exp(-f)); })), model::CalibrationKind::none);
  EXPECT_EQ(chosen(draw([](double f) { return 1 / (1 + std::exp(-3 * f - 2)); })), model::CalibrationKind::platt);
  EXPECT_EQ(chosen(draw([](double f) { return f < 1 ? 0.1 : 0.95; })), model::CalibrationKind::isotonic);
}

TEST(FitCalibration, ASigmoidThatWouldFallBecomesFlat) {
  const Drawn d = draw([](double f) { return 1 / (1 + std::exp(f)); });
  const model::Calibration calibration = fit_calibration(model::CalibrationKind::platt, d.decisions, d.labels);
  EXPECT_EQ(calibration.probability_of(-3), calibration.probability_of(3));
  EXPECT_NEAR(calibration.probability_of(0), 0.5, 0.05);
}

/// A row's own label must not move its own cross-fitted probability.
TEST(CrossFit, DoesNotSeeTheRowItself) {
  Drawn d = draw([](double f) { return 1 / (1 + std::exp(-f)); }, 100);
  const double before = cross_fit(model::CalibrationKind::isotonic, d.decisions, d.labels, d.fold_of).probabilities[7];
  d.labels[7] ^= 1U;
  EXPECT_EQ(cross_fit(model::CalibrationKind::isotonic, d.decisions, d.labels, d.fold_of).probabilities[7], before);
}

}  // namespace
}  // namespace dropscore::learn
