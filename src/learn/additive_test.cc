#include "learn/additive.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "learn/additive_terms.h"
#include "learn/constant.h"
#include "learn/logistic.h"
#include "metrics/classification.h"
#include "metrics/random.h"
#include "model/calibration.h"

namespace dropscore::learn {
namespace {

using testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Customers of whom most convert that are over 40 in column 0, or of category "b", or whose column 1 is missing; of
/// all others one in twenty, and one in twenty of those does not. Column 3 is noise.
struct Customers {
  features::Matrix<double> rows;
  std::vector<std::uint8_t> labels;
  std::vector<double> truth;
  schema::Schema schema;

  explicit Customers(std::size_t count, std::uint32_t seed = 1) : rows(count, 4) {
    metrics::NumpyRandom random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      rows(i, 0) = 100 * random.uniform();
      rows(i, 1) = random.uniform() < 0.2 ? nan : random.uniform();
      rows(i, 2) = static_cast<double>(random.randint(3));
      rows(i, 3) = random.uniform();
      const double score =
          -6 + (rows(i, 0) >= 40 ? 4 : 0) + (rows(i, 2) == 1 ? 5 : 0) + (std::isnan(rows(i, 1)) ? 5 : 0);
      truth.push_back(0.05 + 0.9 / (1 + std::exp(-score)));
      labels.push_back(random.uniform() < truth.back() ? 1 : 0);
    }
    schema.features.resize(4);
    schema.features[1].missing_allowed = true;
    schema.features[2].kind = schema::Kind::categorical;
    schema.features[2].categories = {"a", "b", "c"};
  }
  TrainingSet data() const { return {rows.view(), labels, &schema}; }
};

std::vector<double> probabilities(const model::Predictor& form, features::MatrixView<double> rows) {
  std::vector<double> out(rows.rows);
  form.decide(rows, out);
  for (double& value : out) value = model::sigmoid(value, -1, 0);
  return out;
}

double farthest(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

const model::AdditiveForm& form_of(const model::Predictor& fitted) {
  return dynamic_cast<const model::Additive&>(fitted).form();
}

TEST(AdditiveLearner, FindsTheStepsTheLinkAndNothingElse) {
  const Customers customers(6000);
  const Customers others(2000, 2);
  const auto fitted = additive_learner().fit(customers.data(), {}, {});
  ASSERT_TRUE(fitted);
  const model::AdditiveForm& form = form_of(**fitted);
  EXPECT_NEAR(form.floor, 0.05, 0.02);
  EXPECT_NEAR(form.drop, 0.05, 0.02);
  ASSERT_FALSE(form.shapes[0].cuts.empty());
  for (const double cut : form.shapes[0].cuts) EXPECT_NEAR(cut, 40, 1);
  EXPECT_GT(form.shapes[1].missing, 2) << "a branch of its own";
  EXPECT_GT(form.shapes[2].contribution[1], form.shapes[2].contribution[0] + 3);
  EXPECT_TRUE(form.shapes[3].cuts.empty()) << "noise";
  EXPECT_LT(metrics::log_loss(others.labels, probabilities(**fitted, others.rows.view())),
            metrics::log_loss(others.labels, others.truth) + 0.003);
}

TEST(AdditiveLearner, CentresItsShapes) {
  const Customers customers(1500);
  const auto fitted = additive_learner().fit(customers.data(), {{"slopes", "true"}}, {});
  ASSERT_TRUE(fitted);
  const auto& additive = dynamic_cast<const model::Additive&>(**fitted);
  std::vector<double> sums(4);
  for (std::size_t row = 0; row < 1500; ++row) {
    const std::vector<double> parts = additive.contributions(customers.rows.view().row(row));
    for (std::size_t j = 0; j < 4; ++j) sums[j] += parts[j];
  }
  EXPECT_THAT(sums, testing::Each(testing::DoubleNear(0, 1e-8)));
  EXPECT_EQ(form_of(additive).shapes[0].missing, 0) << "none was missing: the mean";
  EXPECT_EQ(form_of(additive).shapes[2].missing, 0);
}

TEST(AdditiveLearner, IsTheSameOnAnyNumberOfThreads) {
  const Customers customers(1500);
  std::vector<std::vector<double>> decided;
  for (const unsigned threads : {1U, 2U, 5U}) {
    LearnContext context;
    context.threads = threads;
    decided.push_back(probabilities(**additive_learner().fit(customers.data(), {}, context), customers.rows.view()));
  }
  EXPECT_EQ(decided[0], decided[1]);
  EXPECT_EQ(decided[0], decided[2]);
}

TEST(AdditiveLearner, FitsMoreRowsThanItSearches) {
  const Customers customers(max_searched_rows + 30'000);
  const Customers others(2000, 2);
  LearnContext context;
  const auto alone = additive_learner().fit(customers.data(), {}, context);
  context.threads = 3;
  const auto together = additive_learner().fit(customers.data(), {}, context);
  ASSERT_TRUE(alone && together);
  EXPECT_EQ(probabilities(**alone, others.rows.view()), probabilities(**together, others.rows.view()));
  EXPECT_LT(farthest(probabilities(**alone, others.rows.view()), others.truth), 0.02);
}

TEST(AdditiveLearner, BothPrecisionsDecideTheSame) {
  Customers customers(2000);
  for (std::size_t i = 0; i < 2000; ++i) {
    customers.rows(i, 0) = 1e6 + std::round(customers.rows(i, 0) * 10) / 100;  // neighbours are one float apart or none
    customers.rows(i, 3) = std::round(customers.rows(i, 3) * 100) / 1000;
  }
  features::Matrix<float> rounded(2000, 4);
  std::copy_n(customers.rows.data(), 2000 * 4, rounded.data());
  for (const char* slopes : {"false", "true"}) {
    const auto fitted = additive_learner().fit(customers.data(), {{"slopes", slopes}, {"charge", "0.5"}}, {});
    ASSERT_TRUE(fitted);
    ASSERT_FALSE(form_of(**fitted).shapes[0].cuts.empty());
    std::vector<double> out(2000);
    (*fitted)->decide(rounded.view(), out);
    std::vector<double> exact(2000);
    (*fitted)->decide(customers.rows.view(), exact);
    EXPECT_THAT(out, testing::Pointwise(testing::DoubleNear(1e-13), exact));
  }
}

TEST(AdditiveLearner, DrawsLinesWhereAskedTo) {
  features::Matrix<double> rows(4000, 1);
  std::vector<std::uint8_t> labels;
  metrics::NumpyRandom random(3);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    rows(i, 0) = 1000 + 10 * random.uniform();
    labels.push_back(random.uniform() < 1 / (1 + std::exp(-(rows(i, 0) - 1005))) ? 1 : 0);
  }
  schema::Schema schema;
  schema.features.resize(1);
  const auto fitted = additive_learner().fit({rows.view(), labels, &schema}, {{"slopes", "true"}}, {});
  ASSERT_TRUE(fitted);
  for (const double x : {1000.0, 1003.0, 1005.0, 1007.5, 1010.0}) {
    const features::MatrixView<double> one{&x, 1, 1};
    EXPECT_NEAR(probabilities(**fitted, one)[0], 1 / (1 + std::exp(-(x - 1005))), 0.05) << x;
  }
}

TEST(AdditiveLearner, WithNothingToLearnIsTheRate) {
  Customers customers(400);
  metrics::NumpyRandom random(5);
  for (std::uint8_t& label : customers.labels) label = random.uniform() < 0.25 ? 1 : 0;
  const auto ones = static_cast<double>(std::count(customers.labels.begin(), customers.labels.end(), std::uint8_t{1}));
  const auto fitted = additive_learner().fit(customers.data(), {}, {});
  ASSERT_TRUE(fitted);
  for (const double p : probabilities(**fitted, customers.rows.view())) EXPECT_NEAR(p, ones / 400, 0.002);
}

TEST(AdditiveLearner, TakesFewRowsAndStrangeColumns) {
  Customers customers(40);
  std::fill(customers.labels.begin(), customers.labels.end(), std::uint8_t{0});
  customers.labels[7] = 1;
  EXPECT_TRUE(additive_learner().fit(customers.data(), {}, {})) << "one row of a class";
  for (std::size_t i = 0; i < 40; ++i) {
    customers.labels[i] = i % 2 == 0 ? 1 : 0;
    customers.rows(i, 0) = i % 2 == 0 ? 1e300 : -1e300;
    customers.rows(i, 1) = nan;
    customers.rows(i, 2) = -1;
    customers.rows(i, 3) = 5;
  }
  for (const char* slopes : {"false", "true"}) {
    const auto fitted = additive_learner().fit(customers.data(), {{"slopes", slopes}}, {});
    ASSERT_TRUE(fitted) << fitted.error().customer.text;
    EXPECT_GT(probabilities(**fitted, customers.rows.view())[0], 0.6);
  }
}

TEST(AdditiveLearner, RefusesParametersItDoesNotKnow) {
  const Customers customers(60);
  const auto refusal = [&](const Parameters& parameters) {
    const auto fitted = additive_learner().fit(customers.data(), parameters, {});
    return fitted ? std::string("fitted") : fitted.error().customer.text;
  };
  EXPECT_THAT(refusal({{"steps", "1"}}), HasSubstr("it has: charge, ridge, slopes"));
  EXPECT_EQ(refusal({{"slopes", "yes"}}), "additive.slopes=yes: neither true nor false");
  EXPECT_THAT(refusal({{"charge", "0"}}), HasSubstr("additive.charge=0"));
  EXPECT_THAT(refusal({{"ridge", "-1"}}), HasSubstr("additive.ridge=-1"));
  EXPECT_EQ(refusal({{"charge", "1.5"}, {"slopes", "true"}}), "fitted");
}

TEST(NewLearners, StopWhenAsked) {
  const Customers customers(500);
  LearnContext context;
  int asked = 0;
  context.stop_requested = [&asked] { return ++asked > 3; };
  EXPECT_EQ(additive_learner().fit(customers.data(), {}, context).error().kind, ErrorKind::give_up);
  context.stop_requested = [] { return true; };
  EXPECT_EQ(logistic_learner().fit(customers.data(), {}, context).error().kind, ErrorKind::give_up);
  EXPECT_EQ(constant_learner().fit(customers.data(), {}, context).error().kind, ErrorKind::give_up);
}

RC_GTEST_PROP(CutBetween, KeepsValuesOnTheirSides, ()) {
  const float low = *rc::gen::element(1e-3F, 1.0F, 1e7F, 3e35F) * static_cast<float>(*rc::gen::inRange(-1000, 1000));
  const float most = std::numeric_limits<float>::max();
  const float high = *rc::gen::element(std::nextafter(low, most), low + 1e-5F * std::abs(low) + 1e-30F, most);
  const float cut = cut_between(low, high);
  RC_ASSERT(low < cut && cut <= high);
}

TEST(CutBetween, IsTheMiddle) { EXPECT_EQ(cut_between(1, 2), 1.5F); }

TEST(ConstantLearner, IsTheRate) {
  Customers customers(8);
  customers.labels = {0, 1, 1, 0, 1, 1, 1, 1};
  const auto fitted = constant_learner().fit(customers.data(), {}, {});
  ASSERT_TRUE(fitted);
  EXPECT_EQ((*fitted)->features(), 4U);
  EXPECT_NEAR(probabilities(**fitted, customers.rows.view())[0], 0.75, 1e-15);
  EXPECT_THAT(constant_learner().fit(customers.data(), {{"C", "1"}}, {}).error().customer.text,
              HasSubstr("constant has no parameter \"C\""));
}

TEST(LogisticLearner, ReachesTheOptimum) {
  const Customers customers(700);
  const auto fitted = logistic_learner().fit(customers.data(), {{"C", "0.3"}}, {});
  ASSERT_TRUE(fitted);
  const model::LogisticForm& form = dynamic_cast<const model::Logistic&>(**fitted).form();
  features::Matrix<double> x;
  form.standardizer.apply(customers.rows.view(), x);
  const std::vector<double> p = probabilities(**fitted, customers.rows.view());
  std::vector<double> gradient(5);
  for (std::size_t i = 0; i < x.rows(); ++i) {
    const double off = p[i] - customers.labels[i];
    gradient[0] += off;
    for (std::size_t j = 0; j < 4; ++j) gradient[j + 1] += off * x(i, j);
  }
  for (std::size_t j = 0; j < 4; ++j) gradient[j + 1] += form.coefficients[j] / 0.3;
  EXPECT_THAT(gradient, testing::Each(testing::DoubleNear(0, 1e-6)));
}

TEST(LogisticLearner, IsTheSameOnAnyNumberOfThreads) {
  const Customers customers(40'000);
  LearnContext context;
  const auto alone = logistic_learner().fit(customers.data(), {}, context);
  context.threads = 3;
  const auto together = logistic_learner().fit(customers.data(), {}, context);
  EXPECT_EQ(probabilities(**alone, customers.rows.view()), probabilities(**together, customers.rows.view()));
}

TEST(LogisticLearner, TakesSeparableAndRepeatedColumns) {
  features::Matrix<double> rows(30, 2);
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < 30; ++i) {
    rows(i, 0) = rows(i, 1) = static_cast<double>(i);
    labels.push_back(i < 15 ? 0 : 1);
  }
  schema::Schema schema;
  schema.features.resize(2);
  for (const char* c : {"0.001", "1", "1000000"}) {
    const auto fitted = logistic_learner().fit({rows.view(), labels, &schema}, {{"C", c}}, {});
    ASSERT_TRUE(fitted) << c;
    EXPECT_GT(metrics::roc_auc(labels, probabilities(**fitted, rows.view())), 0.999);
  }
  EXPECT_EQ(logistic_learner().fit({rows.view(), labels, &schema}, {{"C", "0"}}, {}).error().kind, ErrorKind::misuse);
}

}  // namespace
}  // namespace dropscore::learn
