#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "metrics/classification.h"
#include "metrics/platt.h"
#include "metrics/random.h"
#include "metrics/split.h"
#include "metrics/threshold.h"

// Equality with scikit-learn's own figures is tested in tests/golden.
namespace dropscore::metrics {
namespace {

using Bytes = std::vector<std::uint8_t>;

// numpy.random.RandomState(42), drawn with numpy 1.24.
TEST(NumpyRandom, DrawsWhatNumpyDraws) {
  EXPECT_EQ(NumpyRandom(42).randint((1ULL << 31U) - 1), 1608637542U);
  NumpyRandom random(42);
  EXPECT_EQ(random.next32(), 0x5fe1dc66U);
  EXPECT_EQ(random.next32(), 0xcbea3db3U);
  NumpyRandom mixed(42);
  std::vector<std::uint64_t> digits(5);
  for (auto& digit : digits) digit = mixed.randint(10);
  EXPECT_THAT(digits, testing::ElementsAre(6, 3, 7, 4, 6));
  EXPECT_EQ(mixed.randint((1ULL << 31U) - 1), 1914837113U);
  EXPECT_EQ(mixed.randint(1ULL << 40U), 902372521174U) << "wider than 32 bits takes two draws";
  EXPECT_EQ(mixed.uniform(), 0.05808361216819946);
  EXPECT_EQ(mixed.randint(1), 0U) << "takes no draw";
  EXPECT_EQ(mixed.randint(1ULL << 32U), 3720198231U);
}

RC_GTEST_PROP(NumpyRandom, APermutationHoldsEachOnce, (std::uint32_t seed)) {
  const auto n = *rc::gen::inRange<std::size_t>(0, 200);
  std::vector<std::size_t> order = NumpyRandom(seed).permutation(n);
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < n; ++i) RC_ASSERT(order[i] == i);
}

Bytes any_labels() {
  return *rc::gen::suchThat(rc::gen::container<Bytes>(rc::gen::inRange<std::uint8_t>(0, 2)), [](const Bytes& labels) {
    return std::count(labels.begin(), labels.end(), 0) >= 2 && std::count(labels.begin(), labels.end(), 1) >= 2;
  });
}

RC_GTEST_PROP(StratifiedSplit, EveryRowOnOneSideAndSharesKept, (std::uint32_t seed)) {
  const Bytes labels = any_labels();
  const double fraction = *rc::gen::inRange(1, 20) / 20.0;
  const auto split = stratified_split(labels, fraction, seed);
  if (!split) {
    RC_ASSERT(split.error().kind == ErrorKind::reject);
    return;
  }
  std::set<std::size_t> seen(split->train.begin(), split->train.end());
  seen.insert(split->test.begin(), split->test.end());
  RC_ASSERT(seen.size() == labels.size());
  RC_ASSERT(split->train.size() + split->test.size() == labels.size());
  RC_ASSERT(split->test.size() == static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(labels.size()))));
  const auto ones = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const auto held = static_cast<double>(
      std::count_if(split->test.begin(), split->test.end(), [&](std::size_t row) { return labels[row] == 1; }));
  const double due = ones * static_cast<double>(split->test.size()) / static_cast<double>(labels.size());
  RC_ASSERT(std::abs(held - due) <= 1.0);
}

TEST(StratifiedSplit, SaysWhyItCannot) {
  EXPECT_THAT(stratified_split(Bytes{1, 1, 1, 0}, 0.5, 1).error().customer.text, testing::HasSubstr("label 0"));
  EXPECT_THAT(stratified_split(Bytes{1, 1, 0, 0}, 0.2, 1).error().customer.text, testing::HasSubstr("too few"));
  EXPECT_FALSE(stratified_split(Bytes{1, 1, 0, 0}, 0.0, 1));
  EXPECT_FALSE(stratified_split(Bytes{1, 1, 0, 0}, 1.0, 1));
  EXPECT_FALSE(stratified_split(Bytes{1, 1, 0, 0}, std::nan(""), 1));
  EXPECT_FALSE(stratified_split(Bytes{}, 0.2, 1));
}

RC_GTEST_PROP(StratifiedFolds, SizesDifferByOneAtMost, ()) {
  const Bytes labels = any_labels();
  const auto folds = *rc::gen::inRange<std::uint32_t>(2, 7);
  const auto fold_of = stratified_folds(labels, folds);
  if (!fold_of) {
    RC_ASSERT(fold_of.error().kind == ErrorKind::reject);
    return;
  }
  for (const int label : {-1, 0, 1}) {
    std::vector<int> sizes(folds, 0);
    for (std::size_t row = 0; row < labels.size(); ++row) {
      if (label < 0 || labels[row] == label) ++sizes[fold_of->at(row)];
    }
    RC_ASSERT(*std::max_element(sizes.begin(), sizes.end()) - *std::min_element(sizes.begin(), sizes.end()) <= 1);
  }
}

TEST(StratifiedFolds, NeedsARowOfEachClassInEachFold) {
  EXPECT_FALSE(stratified_folds(Bytes{1, 1, 1, 0, 0}, 3));
  EXPECT_FALSE(stratified_folds(Bytes{1, 1, 0, 0}, 1));
  EXPECT_FALSE(stratified_folds(Bytes{}, 2));
}

TEST(Classification, WithoutAMeaning) {
  const Bytes ones{1, 1};
  const std::vector<double> scores{0.2, 0.8};
  EXPECT_TRUE(std::isnan(roc_auc(ones, scores)));
  EXPECT_EQ(average_precision(ones, scores), 1.0);
  EXPECT_EQ(average_precision(ones, scores, 0), 0.0);
  EXPECT_EQ(confusion(ones, ones).mcc(), 0.0);
  EXPECT_EQ(Confusion{}.f1(), 0.0);
  EXPECT_TRUE(std::isnan(Confusion{}.accuracy()));
  EXPECT_TRUE(std::isnan(log_loss({}, {})));
}

RC_GTEST_PROP(Classification, AucIsTheShareOfPairsInOrder, ()) {
  const Bytes labels = any_labels();
  const auto scores = *rc::gen::container<std::vector<double>>(
      labels.size(), rc::gen::map(rc::gen::inRange(0, 8), [](int eighth) { return eighth / 8.0; }));
  double won = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      pairs += 1;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  RC_ASSERT(std::abs(roc_auc(labels, scores) - won / pairs) < 1e-12);
}

RC_GTEST_PROP(Threshold, NoOtherCutIsBetter, ()) {
  const Bytes labels = any_labels();
  const auto probabilities = *rc::gen::container<std::vector<double>>(
      labels.size(), rc::gen::map(rc::gen::inRange(0, 9), [](int eighth) { return eighth / 8.0; }));
  const auto mcc = [](const Confusion& counts) { return counts.mcc(); };
  const auto at = [&](double threshold) {
    Bytes decisions;
    for (const double p : probabilities) decisions.push_back(p >= threshold ? 1 : 0);
    return mcc(confusion(labels, decisions));
  };
  const ChosenThreshold best = best_threshold(labels, probabilities, mcc);
  RC_ASSERT(at(best.threshold) == best.value);
  for (int sixteenth = -1; sixteenth <= 17; ++sixteenth) RC_ASSERT(at(sixteenth / 16.0) <= best.value);
}

TEST(Threshold, OfEqualsTheOneNearestOneHalf) {
  const auto accuracy = [](const Confusion& counts) { return counts.accuracy(); };
  EXPECT_EQ(best_threshold(Bytes{0, 1}, std::vector<double>{0.25, 0.5}, accuracy).threshold, 0.375);
  const auto indifferent = [](const Confusion&) { return 1.0; };
  EXPECT_EQ(best_threshold(Bytes{0, 1, 1}, std::vector<double>{0.1, 0.4, 0.7}, indifferent).threshold, 0.55);
  const auto never = [](const Confusion& counts) { return -static_cast<double>(counts.fp); };
  EXPECT_GT(best_threshold(Bytes{0, 0}, std::vector<double>{1.0, 1.0}, never).threshold, 1.0);
  const auto always = [](const Confusion& counts) { return -static_cast<double>(counts.fn); };
  EXPECT_LE(best_threshold(Bytes{1, 1}, std::vector<double>{0.0, 0.0}, always).threshold, 0.0);
}

TEST(Threshold, NeighbouringDoublesStayApart) {
  const double above = std::nextafter(0.3, 1.0);
  const auto best = best_threshold(Bytes{0, 1}, std::vector<double>{0.3, above},
                                   [](const Confusion& counts) { return counts.accuracy(); });
  EXPECT_EQ(best.value, 1.0);
  EXPECT_EQ(best.threshold, above);
}

TEST(Platt, MeetsTheTargetsRate) {
  // At the optimum the probabilities add up to Platt's targets: the gradient by B is 0.
  std::vector<double> decisions;
  Bytes labels;
  NumpyRandom random(7);
  for (int i = 0; i < 500; ++i) {
    const double f = 4 * random.uniform() - 2;
    decisions.push_back(f);
    labels.push_back(random.uniform() < 1 / (1 + std::exp(-2 * f + 0.5)) ? 1 : 0);
  }
  const Sigmoid fitted = fit_platt(decisions, labels);
  EXPECT_NEAR(fitted.A, -2, 0.5);
  EXPECT_NEAR(fitted.B, 0.5, 0.5);
  const auto ones = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const double zeros = 500 - ones;
  double sum = 0;
  for (const double f : decisions) sum += 1 / (1 + std::exp(fitted.A * f + fitted.B));
  EXPECT_NEAR(sum, ones * (ones + 1) / (ones + 2) + zeros / (zeros + 2), 1e-4);
}

TEST(Platt, StaysFiniteWhereClassesPartPerfectly) {
  const Sigmoid fitted = fit_platt(std::vector<double>{-1, -1, 1, 1}, Bytes{0, 0, 1, 1});
  EXPECT_TRUE(std::isfinite(fitted.A) && std::isfinite(fitted.B));
  EXPECT_LT(fitted.A, 0);
}

}  // namespace
}  // namespace dropscore::metrics
