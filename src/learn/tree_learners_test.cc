#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xgboost/c_api.h>

#include "learn/boosted.h"
#include "learn/forest.h"
#include "learn/tree_data.h"
#include "metrics/classification.h"
#include "metrics/random.h"

namespace dropscore::learn {
namespace {

using testing::HasSubstr;

/// A step, a slope with gaps in it, a category of which one value matters, and noise.
struct Steps {
  features::Matrix<double> rows;
  std::vector<std::uint8_t> labels;
  std::vector<double> chances;  ///< the labels' true probabilities
  schema::Schema schema;

  explicit Steps(std::size_t count, std::uint32_t seed = 1) : rows(count, 4) {
    metrics::NumpyRandom random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      rows(i, 0) = 100 * random.uniform();
      rows(i, 1) = random.uniform();
      rows(i, 2) = static_cast<double>(random.randint(4));
      rows(i, 3) = random.uniform();
      double chance = 0.15 + (rows(i, 0) > 40 ? 0.4 : 0) + 0.2 * rows(i, 1) + (rows(i, 2) == 2 ? 0.2 : 0);
      if (random.uniform() < 0.1) {
        rows(i, 1) = std::nan("");
        chance = 0.9;
      }
      chances.push_back(chance);
      labels.push_back(random.uniform() < chance ? 1 : 0);
    }
    schema.features.resize(4);
    schema.features[1].missing_allowed = true;
    schema.features[2].kind = schema::Kind::categorical;
    schema.features[2].categories = {"a", "b", "c", "d"};
  }
  TrainingSet data() const { return {rows.view(), labels, &schema}; }
};

std::vector<double> decide(const model::Predictor& form, const features::Matrix<double>& rows) {
  std::vector<double> out(rows.rows());
  form.decide(rows.view(), out);
  return out;
}

std::string written(const model::Predictor& form) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  form.save(json);
  json.end_object();
  return out;
}

const model::TreesForm& form_of(const model::Predictor& form) { return dynamic_cast<const model::Trees&>(form).form(); }

std::string refusal(const Learner& learner, const Parameters& parameters) {
  const Steps steps(40);
  const auto fitted = learner.fit(steps.data(), parameters, {});
  if (fitted) return "fitted";
  EXPECT_EQ(fitted.error().kind, ErrorKind::misuse);
  return fitted.error().customer.text;
}

TEST(TreeData, CellsAreFiniteFloatsOrMissing) {
  Steps steps(3);
  steps.rows(0, 0) = 1e300;
  steps.rows(0, 1) = -std::numeric_limits<double>::infinity();
  steps.rows(0, 2) = -1;
  steps.rows(1, 1) = std::nan("");
  steps.rows(1, 3) = -1;
  const std::vector<std::size_t> rows{1, 0};
  const features::Matrix<float> cells = tree_cells(steps.data(), rows);
  EXPECT_TRUE(std::isnan(cells(0, 1)));
  EXPECT_EQ(cells(0, 3), -1) << "a number may be negative";
  EXPECT_EQ(cells(1, 0), greatest_cell);
  EXPECT_EQ(cells(1, 1), -greatest_cell);
  EXPECT_TRUE(std::isnan(cells(1, 2))) << "a category that training never saw";
}

TEST(BoostedLearner, RefusesParametersItDoesNotKnow) {
  const auto refused = [](const Parameters& parameters) { return refusal(boosted_learner(), parameters); };
  EXPECT_THAT(refused({{"trees", "1"}}), HasSubstr("it has: depth, lambda, min_child_weight, rate, rounds, subsample"));
  EXPECT_THAT(refused({{"rounds", "0"}}), HasSubstr("neither \"auto\" nor a whole number from 1 to 10000"));
  EXPECT_THAT(refused({{"rounds", "1e3"}}), HasSubstr("boosted.rounds=1e3"));
  EXPECT_EQ(refused({{"depth", "17"}}), "boosted.depth=17: not a whole number from 1 to 16");
  EXPECT_EQ(refused({{"rate", "1.5"}}), "boosted.rate=1.5: over 1");
  EXPECT_EQ(refused({{"subsample", "2"}}), "boosted.subsample=2: over 1");
  EXPECT_THAT(refused({{"lambda", "-1"}}), HasSubstr("boosted.lambda=-1"));
  EXPECT_THAT(refused({{"min_child_weight", "nan"}}), HasSubstr("boosted.min_child_weight=nan"));
  EXPECT_EQ(refused({{"rounds", "3"}, {"subsample", "0.5"}}), "fitted");
}

TEST(BoostedLearner, FindsTheSteps) {
  const Steps steps(2000);
  const Steps others(2000, 2);
  const auto fitted = boosted_learner().fit(steps.data(), {}, {});
  ASSERT_TRUE(fitted) << fitted.error().detail.text;
  const double best = metrics::roc_auc(others.labels, others.chances);
  EXPECT_GT(metrics::roc_auc(others.labels, decide(**fitted, others.rows)), best - 0.02);
  EXPECT_EQ((*fitted)->family(), "boosted");
  const std::size_t rounds = form_of(**fitted).trees.roots.size();
  EXPECT_GT(rounds, 10U);
  EXPECT_LT(rounds, 400U) << "more rounds would learn the noise";
}

TEST(BoostedLearner, IsTheSameOnAnyNumberOfThreads) {
  const Steps steps(700);
  for (const char* subsample : {"1", "0.7"}) {
    const Parameters parameters{{"subsample", subsample}, {"depth", "3"}};
    LearnContext context;
    const auto alone = boosted_learner().fit(steps.data(), parameters, context);
    context.threads = 2;
    const auto together = boosted_learner().fit(steps.data(), parameters, context);
    context.threads = 5;
    const auto crowded = boosted_learner().fit(steps.data(), parameters, context);
    ASSERT_TRUE(alone && together && crowded);
    EXPECT_EQ(written(**alone), written(**together));
    EXPECT_EQ(written(**alone), written(**crowded));
    context.seed = 43;
    EXPECT_NE(written(**boosted_learner().fit(steps.data(), parameters, context)), written(**alone));
  }
}

TEST(BoostedLearner, WhatIsMissingGoesWhereTrainingSentIt) {
  const Steps steps(2000);
  const auto fitted = boosted_learner().fit(steps.data(), {}, {});
  ASSERT_TRUE(fitted);
  features::Matrix<double> rows(4, 4);
  const double nan = std::nan("");
  const std::vector<double> cells{50, nan, 0, 0.5, 50, 0.95, 0, 0.5, 50, 0.5, -1, 0.5, 50, 0.5, 0, 0.5};
  std::copy(cells.begin(), cells.end(), rows.data());
  const std::vector<double> sums = decide(**fitted, rows);
  EXPECT_GT(sums[0], sums[1]) << "rows with a gap convert most";
  EXPECT_NEAR(sums[2], sums[3], 0.5) << "a category never seen goes with the many, not with the one that matters";
}

TEST(BoostedLearner, TakesWhateverTheSchemaTakes) {
  Steps steps(60);
  for (std::size_t i = 0; i < 60; ++i) {
    steps.rows(i, 0) = i % 2 == 0 ? 1e300 : -1e300;
    steps.rows(i, 1) = std::nan("");
    steps.rows(i, 2) = -1;
  }
  const auto fitted = boosted_learner().fit(steps.data(), {{"min_child_weight", "0.01"}}, {});
  ASSERT_TRUE(fitted) << fitted.error().detail.text;
  for (const double sum : decide(**fitted, steps.rows)) EXPECT_TRUE(std::isfinite(sum));

  Steps few(2);
  few.labels = {1, 0};
  EXPECT_TRUE(boosted_learner().fit(few.data(), {}, {})) << "two rows, one of each class";
}

TEST(BoostedLearner, StopsWhenAsked) {
  const Steps steps(100);
  LearnContext context;
  int asked = 0;
  context.stop_requested = [&] { return ++asked > 30; };
  const auto fitted = boosted_learner().fit(steps.data(), {}, context);
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().kind, ErrorKind::give_up);
}

TEST(ForestLearner, RefusesParametersItDoesNotKnow) {
  const auto refused = [](const Parameters& parameters) { return refusal(forest_learner(), parameters); };
  EXPECT_THAT(refused({{"rounds", "1"}}), HasSubstr("it has: columns, depth, leaf, trees"));
  EXPECT_EQ(refused({{"trees", "0"}}), "forest.trees=0: not a whole number from 1 to 10000");
  EXPECT_THAT(refused({{"depth", "-1"}}), HasSubstr("forest.depth=-1"));
  EXPECT_THAT(refused({{"columns", "log2"}}), HasSubstr("neither \"sqrt\""));
  EXPECT_THAT(refused({{"leaf", "1.5"}}), HasSubstr("forest.leaf=1.5"));
  EXPECT_EQ(refused({{"trees", "2"}, {"columns", "9"}}), "fitted") << "as many as there are";
}

TEST(ForestLearner, FindsTheSteps) {
  const Steps steps(2000);
  const Steps others(2000, 2);
  const auto fitted = forest_learner().fit(steps.data(), {{"leaf", "30"}}, {});
  ASSERT_TRUE(fitted);
  const double best = metrics::roc_auc(others.labels, others.chances);
  // scikit-learn's forest on these very rows: 0.753 where the true probabilities have 0.775.
  EXPECT_GT(metrics::roc_auc(others.labels, decide(**fitted, others.rows)), best - 0.027);
  EXPECT_EQ((*fitted)->family(), "forest");
  EXPECT_EQ(form_of(**fitted).trees.roots.size(), 100U);
}

TEST(ForestLearner, ADeepTreeOfDistinctCellsKnowsItsRows) {
  const Steps steps(200);  // fewer rows than bins: no two cells share one
  const auto fitted = forest_learner().fit(steps.data(), {{"depth", "64"}}, {});
  ASSERT_TRUE(fitted);
  const std::vector<double> sums = decide(**fitted, steps.rows);
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i] > 0, steps.labels[i] != 0) << i;
  for (const float value : form_of(**fitted).trees.value) EXPECT_TRUE(std::isfinite(value));
}

TEST(ForestLearner, KeepsToDepthAndLeaf) {
  const Steps steps(500);
  for (const auto& [depth, most] : {std::pair{"1", 3U}, {"2", 7U}, {"3", 15U}}) {
    const auto fitted = forest_learner().fit(steps.data(), {{"trees", "1"}, {"depth", depth}}, {});
    ASSERT_TRUE(fitted);
    EXPECT_LE(form_of(**fitted).trees.feature.size(), most);
    EXPECT_GT(form_of(**fitted).trees.feature.size(), 1U);
  }
  const auto stump = forest_learner().fit(steps.data(), {{"trees", "1"}, {"leaf", "251"}}, {});
  ASSERT_TRUE(stump);
  EXPECT_EQ(form_of(**stump).trees.feature.size(), 1U) << "no cut leaves that many rows on both sides";
}

TEST(ForestLearner, IsTheSameOnAnyNumberOfThreads) {
  const Steps steps(700);
  LearnContext context;
  const auto alone = forest_learner().fit(steps.data(), {}, context);
  context.threads = 3;
  const auto together = forest_learner().fit(steps.data(), {}, context);
  ASSERT_TRUE(alone && together);
  EXPECT_EQ(written(**alone), written(**together));
  context.seed = 43;
  EXPECT_NE(written(**forest_learner().fit(steps.data(), {}, context)), written(**alone));
  context.stop_requested = [] { return true; };
  EXPECT_EQ(forest_learner().fit(steps.data(), {}, context).error().kind, ErrorKind::give_up);
}

/// Against every possible cut, each tried by hand.
TEST(ForestLearner, CutsWhereGiniIsLeast) {
  const Steps steps(120);
  const auto fitted = forest_learner().fit(steps.data(), {{"trees", "1"}, {"depth", "1"}, {"columns", "4"}}, {});
  ASSERT_TRUE(fitted);
  const model::TreeArrays& tree = form_of(**fitted).trees;
  ASSERT_EQ(tree.feature.size(), 3U);
  // The bootstrap is drawn first, from the tree's own seed.
  metrics::NumpyRandom random(metrics::NumpyRandom(42).next32());
  std::vector<std::size_t> sample(120);
  for (std::size_t& row : sample) row = random.interval(119);
  const auto impurity = [&](std::size_t feature, double threshold, bool missing_left) {
    std::array<std::array<double, 2>, 2> counts{};
    for (const std::size_t row : sample) {
      const double x = steps.rows(row, feature);
      const bool left = std::isnan(x) ? missing_left : x < threshold;
      counts[left ? 0 : 1][steps.labels[row]] += 1;
    }
    double sum = 0;
    for (const auto& [no, yes] : counts) sum += no + yes > 0 ? 2 * no * yes / (no + yes) : 0;
    return sum;
  };
  double least = 1e9;
  for (std::size_t feature = 0; feature < 4; ++feature) {
    for (const std::size_t row : sample) {
      for (const bool left : {false, true}) least = std::min(least, impurity(feature, steps.rows(row, feature), left));
    }
  }
  const auto chosen = static_cast<std::size_t>(tree.feature[0]);
  EXPECT_NEAR(impurity(chosen, static_cast<double>(tree.value[0]), tree.missing_left[0] != 0), least, 1e-9);
}

TEST(ForestLearner, TakesWhateverTheSchemaTakes) {
  Steps steps(600);
  for (std::size_t i = 0; i < 600; ++i) {
    steps.rows(i, 0) = i % 3 == 0 ? 1e300 : -1e300;
    steps.rows(i, 1) = std::nan("");
    steps.rows(i, 2) = i % 2 == 0 ? -1 : 3;
    steps.rows(i, 3) = i % 5 == 0 ? std::nan("") : std::nextafter(1.0, 2.0) * static_cast<double>(i);
  }
  const auto fitted = forest_learner().fit(steps.data(), {}, {});
  ASSERT_TRUE(fitted);
  for (const double sum : decide(**fitted, steps.rows)) EXPECT_TRUE(std::isfinite(sum));
  Steps few(2);
  few.labels = {1, 0};
  EXPECT_TRUE(forest_learner().fit(few.data(), {}, {}));
}

float sum_in_float(const model::TreesForm& form, std::span<const float> x) {
  auto sum = static_cast<float>(form.base);
  const model::TreeArrays& trees = form.trees;
  for (std::uint32_t node : trees.roots) {
    while (trees.feature[node] >= 0) {
      const float cell = x[static_cast<std::size_t>(trees.feature[node])];
      const bool to_left = std::isnan(cell) ? trees.missing_left[node] != 0 : cell < trees.value[node];
      node = trees.left[node] + (to_left ? 0U : 1U);
    }
    sum += trees.value[node];
  }
  return sum;
}

/// The same rows, grown and predicted by XGBoost alone.
TEST(ConvertXgboost, PredictsAsXgboostDoes) {
  const Steps steps(1500);
  std::vector<std::size_t> every(steps.labels.size());
  std::iota(every.begin(), every.end(), std::size_t{0});
  const features::Matrix<float> cells = tree_cells(steps.data(), every);
  const std::vector<float> labels(steps.labels.begin(), steps.labels.end());
  DMatrixHandle rows = nullptr;
  ASSERT_EQ(XGDMatrixCreateFromMat_omp(cells.view().data, cells.rows(), cells.columns(),
                                       std::numeric_limits<float>::quiet_NaN(), &rows, 1),
            0);
  ASSERT_EQ(XGDMatrixSetFloatInfo(rows, "label", labels.data(), labels.size()), 0);
  for (const char* depth : {"1", "6"}) {
    BoosterHandle booster = nullptr;
    ASSERT_EQ(XGBoosterCreate(&rows, 1, &booster), 0);
    for (const auto& [name, value] : {std::pair{"objective", "binary:logistic"},
                                      {"tree_method", "hist"},
                                      {"nthread", "1"},
                                      {"verbosity", "0"},
                                      {"base_score", "0.7"},
                                      {"max_depth", depth},
                                      {"gamma", "0.5"}}) {
      ASSERT_EQ(XGBoosterSetParam(booster, name, value), 0);
    }
    for (int round = 0; round < 100; ++round) ASSERT_EQ(XGBoosterUpdateOneIter(booster, round, rows), 0);
    bst_ulong size = 0;
    const char* json = nullptr;
    ASSERT_EQ(XGBoosterSaveModelToBuffer(booster, R"({"format": "json"})", &size, &json), 0);
    auto form = convert_xgboost({json, size}, {false, false, true, false}, {true, true, true, true});
    ASSERT_TRUE(form) << form.error().customer.text;
    const model::Trees trees(*std::move(form));
    std::vector<double> ours(cells.rows());
    trees.decide(cells.view(), ours);
    bst_ulong count = 0;
    const float* theirs = nullptr;
    ASSERT_EQ(XGBoosterPredict(booster, rows, 0, 0, 0, &count, &theirs), 0);
    ASSERT_EQ(count, ours.size());
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_NEAR(1 / (1 + std::exp(-ours[i])), static_cast<double>(theirs[i]), 1e-6) << depth;
    }
    // XGBoost adds its leaves up in float, we in double: with sums like its own, not a bit is off.
    ASSERT_EQ(XGBoosterPredict(booster, rows, 1, 0, 0, &count, &theirs), 0);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(sum_in_float(trees.form(), cells.row(i)), theirs[i]) << depth;
      ASSERT_NEAR(ours[i], static_cast<double>(theirs[i]), 1e-5) << depth;
    }
    XGBoosterFree(booster);
  }
  XGDMatrixFree(rows);
}

TEST(ConvertXgboost, RefusesWhatIsNoModel) {
  const auto refused = [](const char* json) { return convert_xgboost(json, {false}, {false}).error().customer.text; };
  EXPECT_THAT(refused("{"), HasSubstr("not readable"));
  EXPECT_THAT(refused("{}"), HasSubstr("\"learner\" is missing"));
  EXPECT_THAT(refused(R"({"learner": {"learner_model_param": {"base_score": "2"}}})"), HasSubstr("not a probability"));
  EXPECT_THAT(refused(R"({"learner": {"learner_model_param": {"base_score": "5E-1"},
                          "gradient_booster": {"model": {"trees": []}}}})"),
              HasSubstr("empty"));
  EXPECT_THAT(refused(R"({"learner": {"learner_model_param": {"base_score": "5E-1"},
                          "gradient_booster": {"model": {"trees": [{
                            "left_children": [1, -1, -1], "right_children": [3, -1, -1], "split_indices": [0, 0, 0],
                            "split_conditions": [1, 2, 3], "default_left": [0, 0, 0], "sum_hessian": [1, 1, 1]
                          }]}}}})"),
              HasSubstr("node 0 points nowhere"));
}

}  // namespace
}  // namespace dropscore::learn
