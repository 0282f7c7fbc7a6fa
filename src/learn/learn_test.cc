#include <algorithm>
#include <atomic>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "learn/learner.h"
#include "learn/parallel.h"
#include "learn/svm.h"
#include "metrics/classification.h"
#include "metrics/random.h"

// Equality with scikit-learn and with the original system is tested in tests/golden.
namespace dropscore::learn {
namespace {

using testing::HasSubstr;

/// Two overlapping clouds; the last column is a category.
struct Clouds {
  features::Matrix<double> rows;
  std::vector<std::uint8_t> labels;
  schema::Schema schema;

  explicit Clouds(std::size_t count, std::uint32_t seed = 1) : rows(count, 3) {
    metrics::NumpyRandom random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      const bool one = random.uniform() < 0.7;
      labels.push_back(one ? 1 : 0);
      rows(i, 0) = 100 * random.uniform() + (one ? 40 : 0);
      rows(i, 1) = random.uniform() - (one ? 0.3 : 0);
      rows(i, 2) = static_cast<double>(random.randint(3));
    }
    schema.features.resize(3);
    schema.features[2].kind = schema::Kind::categorical;
    schema.features[2].categories = {"a", "b", "c"};
    schema.features[0].fill = 60;
    schema.features[2].fill = 2;
  }
  TrainingSet data() const { return {rows.view(), labels, &schema}; }
};

std::vector<double> decide(const model::Predictor& form, const features::Matrix<double>& rows) {
  std::vector<double> out(rows.rows());
  form.decide(rows.view(), out);
  return out;
}

TEST(Learners, AreFoundByName) {
  for (const Learner* learner : learners()) EXPECT_EQ(*find_learner(learner->name()), learner);
  const auto none = find_learner("svn");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::misuse);
  EXPECT_THAT(none.error().customer.text, HasSubstr("svm"));
}

TEST(SvmLearner, RefusesParametersItDoesNotKnow) {
  const Clouds clouds(40);
  const auto refusal = [&](const Parameters& parameters) {
    const auto fitted = svm_learner().fit(clouds.data(), parameters, {});
    if (fitted) return std::string("fitted");
    EXPECT_EQ(fitted.error().kind, ErrorKind::misuse);
    return fitted.error().customer.text;
  };
  EXPECT_THAT(refusal({{"cost", "1"}}), HasSubstr("it has: C, eps, gamma, kernel"));
  EXPECT_EQ(refusal({{"C", "0"}}), "svm.C=0: not a number over 0");
  EXPECT_THAT(refusal({{"C", "1x"}}), HasSubstr("svm.C=1x"));
  EXPECT_THAT(refusal({{"C", "nan"}}), HasSubstr("svm.C=nan"));
  EXPECT_THAT(refusal({{"gamma", "auto"}}), HasSubstr("scale"));
  EXPECT_THAT(refusal({{"kernel", "poly"}}), HasSubstr("neither rbf nor linear"));
  EXPECT_EQ(refusal({{"kernel", "linear"}, {"C", "0.1"}}), "fitted");
}

TEST(SvmLearner, TellsTheCloudsApart) {
  const Clouds clouds(400);
  const Clouds others(400, 2);
  for (const char* kernel : {"rbf", "linear"}) {
    const auto fitted = svm_learner().fit(clouds.data(), {{"kernel", kernel}}, {});
    ASSERT_TRUE(fitted);
    EXPECT_GT(metrics::roc_auc(others.labels, decide(**fitted, others.rows)), 0.85) << kernel;
  }
}

TEST(SvmLearner, TheLabelThatComesFirstDoesNotMatter) {
  Clouds clouds(200);
  const auto first_as = [&](std::uint8_t label) {
    std::vector<std::size_t> order(200);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_partition(order.begin(), order.end(), [&](std::size_t row) { return clouds.labels[row] == label; });
    const features::Matrix<double> rows = features::gather(clouds.rows.view(), order);
    std::vector<std::uint8_t> labels;
    for (const std::size_t row : order) labels.push_back(clouds.labels[row]);
    return decide(*svm_learner().fit({rows.view(), labels, &clouds.schema}, {}, {}).value(), clouds.rows);
  };
  // The sums of the standardizer run in another order, hence not to the last bit.
  EXPECT_THAT(first_as(0), testing::Pointwise(testing::DoubleNear(1e-9), first_as(1)));
}

TEST(SvmLearner, StopsWhenAsked) {
  const Clouds clouds(40);
  LearnContext context;
  context.stop_requested = [] { return true; };
  EXPECT_EQ(svm_learner().fit(clouds.data(), {}, context).error().kind, ErrorKind::give_up);
  EXPECT_EQ(fit_original_calibration(clouds.data(), {}, context).error().kind, ErrorKind::give_up);
}

TEST(OutOfFold, IsTheSameOnAnyNumberOfThreads) {
  const Clouds clouds(300);
  LearnContext context;
  const auto alone = out_of_fold_decisions(svm_learner(), clouds.data(), {}, context);
  context.threads = 4;
  const auto together = out_of_fold_decisions(svm_learner(), clouds.data(), {}, context);
  ASSERT_TRUE(alone && together);
  EXPECT_EQ(*alone, *together);
  EXPECT_EQ(fit_original_calibration(clouds.data(), {}, context)->A,
            fit_original_calibration(clouds.data(), {}, {})->A);
  EXPECT_GT(metrics::roc_auc(clouds.labels, *alone), 0.7);
  context.seed = 43;
  EXPECT_NE(*out_of_fold_decisions(svm_learner(), clouds.data(), {}, context), *alone);
}

TEST(OutOfFold, PassesErrorsOn) {
  Clouds clouds(40);
  EXPECT_EQ(out_of_fold_decisions(svm_learner(), clouds.data(), {{"x", "1"}}, {}).error().kind, ErrorKind::misuse);
  std::fill(clouds.labels.begin(), clouds.labels.end(), std::uint8_t{1});
  clouds.labels[5] = 0;
  EXPECT_EQ(out_of_fold_decisions(svm_learner(), clouds.data(), {}, {}).error().kind, ErrorKind::reject);
}

TEST(FitStandardizer, FillsAndScales) {
  features::Matrix<double> rows(4, 3);
  const double nan = std::nan("");
  const std::vector<double> cells{1, 5, 0, nan, 5, -1, 3, 5, 1, 8, 5, 1};
  std::copy(cells.begin(), cells.end(), rows.data());
  Clouds clouds(4);
  clouds.schema.features[0].fill = 4;
  const model::Standardizer fitted = fit_standardizer({rows.view(), clouds.labels, &clouds.schema});
  EXPECT_THAT(fitted.mean, testing::ElementsAre(4, 5, 1));
  EXPECT_DOUBLE_EQ(fitted.scale[0], std::sqrt((9 + 0 + 1 + 16) / 4.0));
  EXPECT_EQ(fitted.scale[1], 1) << "a constant column is not divided by 0";
  EXPECT_DOUBLE_EQ(fitted.scale[2], std::sqrt(0.5)) << "the unknown category counts as its fill, 2";
  EXPECT_EQ(fitted.categorical, (std::vector<bool>{false, false, true}));
}

TEST(ForEachIndex, DoesEachOnceAndThrowsOn) {
  std::vector<std::atomic<int>> done(100);
  for_each_index(done.size(), 4, [&](std::size_t i) { ++done[i]; });
  EXPECT_TRUE(std::all_of(done.begin(), done.end(), [](const auto& count) { return count == 1; }));
  EXPECT_THROW(for_each_index(10, 3,
                              [](std::size_t i) {
                                if (i == 7) throw std::runtime_error("seven");
                              }),
               std::runtime_error);
  for_each_index(0, 4, [](std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace dropscore::learn
