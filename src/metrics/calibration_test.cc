#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "metrics/bootstrap.h"
#include "metrics/calibration_error.h"
#include "metrics/isotonic.h"
#include "metrics/random.h"

// Equality with scikit-learn's isotonic regression is tested in tests/golden.
namespace dropscore::metrics {
namespace {

using testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;
using Numbers = std::vector<double>;

TEST(Isotonic, PoolsWhatFalls) {
  const IsotonicPoints points = fit_isotonic(Numbers{1, 2, 3, 4, 5, 6}, Bytes{0, 1, 0, 0, 1, 1});
  EXPECT_THAT(points.decision, ElementsAre(1, 2, 4, 5, 6));
  EXPECT_THAT(points.probability, ElementsAre(0, 1.0 / 3, 1.0 / 3, 1, 1));
}

TEST(Isotonic, TiesCountAsOneByWeight) {
  const IsotonicPoints points = fit_isotonic(Numbers{2, 1, 2, 1, 2, 3}, Bytes{1, 0, 1, 1, 0, 1});
  EXPECT_THAT(points.decision, ElementsAre(1, 2, 3));
  EXPECT_THAT(points.probability, ElementsAre(0.5, 2.0 / 3, 1));
}

TEST(Isotonic, OneClassOrOneValueIsOneRate) {
  EXPECT_THAT(fit_isotonic(Numbers{3, 1, 2}, Bytes{1, 1, 1}).decision, ElementsAre(1, 3));
  EXPECT_THAT(fit_isotonic(Numbers{3, 1, 2}, Bytes{1, 1, 1}).probability, ElementsAre(1, 1));
  EXPECT_THAT(fit_isotonic(Numbers{7, 7}, Bytes{1, 0}).decision, ElementsAre(7));
  EXPECT_THAT(fit_isotonic(Numbers{7, 7}, Bytes{1, 0}).probability, ElementsAre(0.5));
  EXPECT_THAT(fit_isotonic(Numbers{1, 2}, Bytes{1, 0}).probability, ElementsAre(0.5, 0.5));
}

RC_GTEST_PROP(Isotonic, RisesAndKeepsTheTotal, ()) {
  const auto labels = *rc::gen::nonEmpty(rc::gen::container<Bytes>(rc::gen::inRange<std::uint8_t>(0, 2)));
  const auto decisions = *rc::gen::container<Numbers>(
      labels.size(), rc::gen::map(rc::gen::inRange(-9, 9), [](int third) { return third / 3.0; }));
  const IsotonicPoints points = fit_isotonic(decisions, labels);
  RC_ASSERT(points.decision.size() == points.probability.size());
  RC_ASSERT(std::adjacent_find(points.decision.begin(), points.decision.end(), std::greater_equal<>()) ==
            points.decision.end());
  RC_ASSERT(std::is_sorted(points.probability.begin(), points.probability.end()));
  RC_ASSERT(points.probability.front() >= 0 && points.probability.back() <= 1);
  double said = 0;
  for (const double decision : decisions) {
    // At a decision value of the data, the curve is the point at or before it.
    const auto above = std::upper_bound(points.decision.begin(), points.decision.end(), decision);
    said += points.probability[static_cast<std::size_t>(above - points.decision.begin()) - 1];
  }
  RC_ASSERT(std::abs(said - static_cast<double>(std::count(labels.begin(), labels.end(), 1))) < 1e-9);
}

TEST(CalibrationError, ByHand) {
  const Numbers probabilities{0.9, 0.1, 0.2, 0.8, 0.3, 0.7};
  const Bytes labels{1, 0, 0, 0, 1, 1};
  const auto curve = reliability_curve(labels, probabilities, 3);
  ASSERT_EQ(curve.size(), 3U);
  EXPECT_EQ(curve[0].rows, 2U);
  EXPECT_DOUBLE_EQ(curve[0].mean_probability, 0.15);
  EXPECT_EQ(curve[0].observed_rate, 0);
  EXPECT_EQ(curve[1].least, 0.3);
  EXPECT_EQ(curve[1].greatest, 0.7);
  EXPECT_EQ(curve[1].observed_rate, 1);
  EXPECT_EQ(curve[2].observed_rate, 0.5);
  EXPECT_NEAR(expected_calibration_error(curve), (0.15 + 0.5 + 0.35) / 3, 1e-15);
}

TEST(CalibrationError, TiesStayTogether) {
  const auto curve = reliability_curve(Bytes{1, 0, 1, 1, 0}, Numbers{0.5, 0.5, 0.5, 0.5, 0.6}, 5);
  ASSERT_EQ(curve.size(), 2U);
  EXPECT_EQ(curve[0].rows, 4U);
  EXPECT_EQ(curve[0].observed_rate, 0.75);
  EXPECT_EQ(curve[1].rows, 1U);
  EXPECT_EQ(reliability_curve(Bytes{1}, Numbers{0.5}).size(), 1U) << "fewer rows than bins";
  EXPECT_TRUE(reliability_curve({}, {}).empty());
  EXPECT_TRUE(std::isnan(expected_calibration_error({})));
}

RC_GTEST_PROP(CalibrationError, EveryRowIsInOneBin, ()) {
  const auto labels = *rc::gen::container<Bytes>(rc::gen::inRange<std::uint8_t>(0, 2));
  const auto probabilities = *rc::gen::container<Numbers>(
      labels.size(), rc::gen::map(rc::gen::inRange(0, 21), [](int twentieth) { return twentieth / 20.0; }));
  const auto bins = *rc::gen::inRange<std::size_t>(1, 12);
  const auto curve = reliability_curve(labels, probabilities, bins);
  std::uint64_t rows = 0;
  double ones = 0;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    rows += curve[i].rows;
    ones += curve[i].observed_rate * static_cast<double>(curve[i].rows);
    // Apart: inside RC_ASSERT an `or` evaluates both sides.
    if (i > 0) RC_ASSERT(curve[i - 1].greatest < curve[i].least);
  }
  RC_ASSERT(rows == labels.size() && curve.size() <= bins);
  RC_ASSERT(std::abs(ones - static_cast<double>(std::count(labels.begin(), labels.end(), 1))) < 1e-9);
}

/// Rows whose probabilities are true.
struct Sample {
  Bytes labels;
  Numbers probabilities;
  Bytes decisions;

  explicit Sample(std::size_t rows) {
    NumpyRandom random(9);
    for (std::size_t i = 0; i < rows; ++i) {
      probabilities.push_back(std::floor(random.uniform() * 50) / 50);
      labels.push_back(random.uniform() < probabilities.back() ? 1 : 0);
      decisions.push_back(probabilities.back() >= 0.5 ? 1 : 0);
    }
  }
};

TEST(Bootstrap, HoldsTheFiguresThemselves) {
  const Sample sample(500);
  const Figures own = figures(sample.labels, sample.probabilities, sample.decisions);
  const FigureIntervals out = bootstrap(sample.labels, sample.probabilities, sample.decisions);
  const auto around = [](Interval interval, double figure) {
    EXPECT_LT(interval.low, figure);
    EXPECT_GT(interval.high, figure);
    EXPECT_LT(interval.high - interval.low, 0.2);
  };
  around(out.accuracy, own.confusion.accuracy());
  around(out.precision, own.confusion.precision());
  around(out.recall, own.confusion.recall());
  around(out.f1, own.confusion.f1());
  around(out.mcc, own.confusion.mcc());
  around(out.roc_auc, own.roc_auc);
  around(out.average_precision, own.average_precision);
  around(out.average_precision_negative, own.average_precision_negative);
  around(out.log_loss, own.log_loss);
  around(out.brier_score, own.brier_score);
  // The accuracy of n rows deviates by sqrt(a (1 - a) / n), and 95 % lie within 1.96 of that on either side.
  const double accuracy = own.confusion.accuracy();
  EXPECT_NEAR(out.accuracy.high - out.accuracy.low, 2 * 1.96 * std::sqrt(accuracy * (1 - accuracy) / 500), 0.008);
}

// One sample: the figures of the very rows drawn, by the same formulas as classification.cc.
TEST(Bootstrap, ASampleHasItsOwnFigures) {
  const Sample sample(60);
  const FigureIntervals out =
      bootstrap(sample.labels, sample.probabilities, sample.decisions, {.samples = 1, .seed = 7});
  std::vector<std::size_t> order(60);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sample.probabilities[a] < sample.probabilities[b]; });
  NumpyRandom random(NumpyRandom(7).next32());
  Sample drawn(0);
  for (int i = 0; i < 60; ++i) {
    const std::size_t row = order[random.interval(59)];
    drawn.labels.push_back(sample.labels[row]);
    drawn.probabilities.push_back(sample.probabilities[row]);
    drawn.decisions.push_back(sample.decisions[row]);
  }
  const Figures own = figures(drawn.labels, drawn.probabilities, drawn.decisions);
  EXPECT_EQ(out.mcc.low, own.confusion.mcc());
  EXPECT_EQ(out.mcc.high, own.confusion.mcc());
  EXPECT_NEAR(out.roc_auc.low, own.roc_auc, 1e-12);
  EXPECT_NEAR(out.average_precision.low, own.average_precision, 1e-12);
  EXPECT_NEAR(out.average_precision_negative.low, own.average_precision_negative, 1e-12);
  EXPECT_NEAR(out.log_loss.low, own.log_loss, 1e-12);
  EXPECT_NEAR(out.brier_score.low, own.brier_score, 1e-12);
}

TEST(Bootstrap, IsTheSameForTheSameSeed) {
  const Sample sample(80);
  const auto auc = [&](std::uint32_t seed, double level) {
    return bootstrap(sample.labels, sample.probabilities, sample.decisions,
                     {.samples = 200, .seed = seed, .level = level})
        .roc_auc;
  };
  EXPECT_EQ(auc(1, 0.95).low, auc(1, 0.95).low);
  EXPECT_NE(auc(1, 0.95).low, auc(2, 0.95).low);
  EXPECT_LT(auc(1, 0.99).low, auc(1, 0.5).low);
}

TEST(Bootstrap, WithoutAMeaning) {
  const FigureIntervals out = bootstrap(Bytes{1, 1}, Numbers{0.25, 0.75}, Bytes{0, 1});
  EXPECT_TRUE(std::isnan(out.roc_auc.low) && std::isnan(out.roc_auc.high));
  EXPECT_EQ(out.recall.low, 0);
  EXPECT_EQ(out.recall.high, 1);
}

}  // namespace
}  // namespace dropscore::metrics
