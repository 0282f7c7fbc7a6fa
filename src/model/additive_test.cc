#include "model/additive.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "model/calibration.h"
#include "model/logistic.h"

namespace dropscore::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Steps, a line between 10 and 20, and two categories.
AdditiveForm any_form() {
  AdditiveForm form;
  form.intercept = 0.25;
  form.floor = 0.03;
  form.drop = 0.0625;
  form.shapes = {{.cuts = {1, 2.5}, .contribution = {-1, 0.5, 2}, .slope = {}, .missing = -0.125},
                 {.cuts = {10, 20}, .contribution = {-3, -3, 1}, .slope = {0, 0.4, 0}, .missing = 0.75},
                 {.categorical = true, .cuts = {}, .contribution = {1.5, -1.5}, .slope = {}, .missing = 0.375}};
  return form;
}

double probability(const Predictor& form, std::vector<double> row) {
  double decision = 0;
  form.decide(features::MatrixView<double>{row.data(), 1, row.size()}, std::span(&decision, 1));
  return Calibration{.kind = CalibrationKind::none}.probability_of(decision);
}

TEST(Additive, LooksUpItsTables) {
  const Additive additive(any_form());
  EXPECT_THAT(additive.contributions(std::vector<double>{0, 5, 0}), ElementsAre(-1, -3, 1.5));
  EXPECT_THAT(additive.contributions(std::vector<double>{1, 15, 1}), ElementsAre(0.5, -1, -1.5)) << "a cut is above";
  EXPECT_THAT(additive.contributions(std::vector<double>{2.5, 20, 2}), ElementsAre(2, 1, 0.375)) << "no such code";
  EXPECT_THAT(additive.contributions(std::vector<double>{nan, nan, nan}), ElementsAre(-0.125, 0.75, 0.375));
  EXPECT_THAT(additive.contributions(std::vector<double>{-infinity, infinity, -1}), ElementsAre(-1, 1, 0.375));
}

TEST(Additive, CalibrationNoneGivesItsProbability) {
  const Additive additive(any_form());
  const std::vector<double> row{3, 12, 1};
  const std::vector<double> parts = additive.contributions(row);
  const double f = std::accumulate(parts.begin(), parts.end(), 0.25);
  EXPECT_DOUBLE_EQ(probability(additive, row), 0.03 + (1 - 0.03 - 0.0625) / (1 + std::exp(-f)));
  EXPECT_DOUBLE_EQ(probability(additive, row), additive.probability_of(f));

  AdditiveForm logistic = any_form();
  logistic.floor = logistic.drop = 0;
  EXPECT_DOUBLE_EQ(probability(Additive(logistic), row), 1 / (1 + std::exp(-f)));
}

TEST(Additive, StaysFiniteFarOut) {
  for (const double floor : {0.0, 0.1}) {
    for (const double size : {1.0, 1e3, Additive::bound}) {
      AdditiveForm form = any_form();
      form.floor = floor;
      for (double& part : form.shapes[0].contribution) part *= size;
      const Additive additive(form);
      for (const double x : {-infinity, 0.0, 1.0, 1e308, infinity, nan}) {
        std::vector<double> row{x, x, x};
        double decision = nan;
        additive.decide(features::MatrixView<double>{row.data(), 1, 3}, std::span(&decision, 1));
        EXPECT_TRUE(std::isfinite(decision));
        EXPECT_GE(probability(additive, row), floor - 1e-12);
        EXPECT_LE(probability(additive, row), 1 - 0.0625 + 1e-12);
      }
    }
  }
}

RC_GTEST_PROP(Additive, BothPrecisionsGiveTheSameProbability, ()) {
  const Additive additive(any_form());
  std::vector<double> row;
  for (int j = 0; j < 2; ++j) row.push_back(*rc::gen::inRange(-500, 4000) / 100.0);
  row.push_back(*rc::gen::inRange(-1, 4));
  std::vector<float> rounded(row.begin(), row.end());
  double decision = 0;
  additive.decide(features::MatrixView<float>{rounded.data(), 1, 3}, std::span(&decision, 1));
  RC_ASSERT(std::abs(sigmoid(decision, -1, 0) - probability(additive, row)) < 1e-15);
}

// 0.1 as a float is over 0.1 as a double, 0.7 under it: number and cut are rounded alike.
TEST(Additive, ANumberOnACutStaysThereAsAFloat) {
  for (const double cut : {0.1, 0.7, 1e10 + 1, -0.3}) {
    const AdditiveShape shape{.cuts = {cut}, .contribution = {0, 1}, .slope = {}};
    EXPECT_EQ(shape.at(cut), 1);
    EXPECT_EQ(shape.at(static_cast<float>(cut)), 1);
  }
}

TEST(Additive, SaysWhatIsWrongWithAForm) {
  const auto wrong = [](auto change) {
    AdditiveForm form = any_form();
    change(form);
    return Additive::check(form);
  };
  EXPECT_EQ(wrong([](AdditiveForm&) {}), "");
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes.clear(); }), HasSubstr("empty"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.drop = 0.5; }), HasSubstr("floor and drop"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.floor = nan; }), HasSubstr("floor and drop"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.intercept = 1e16; }), HasSubstr("intercept"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[0].cuts = {2.5, 1}; }), HasSubstr("shapes[0]: cuts must"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[0].cuts = {1}; }), HasSubstr("3 contributions, but 1 cuts"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[0].cuts = {1, infinity}; }), HasSubstr("finite"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[0].missing = nan; }), HasSubstr("contribution"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[1].slope = {0, 1}; }), HasSubstr("slopes"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[1].slope = {0, 1, 1}; }), HasSubstr("outer slopes"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[1].slope = {0, 1e300, 0}; }), HasSubstr("steep"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[2].cuts = {1}; }), HasSubstr("no cuts"));
  EXPECT_THAT(wrong([](AdditiveForm& form) { form.shapes[2].contribution.clear(); }), HasSubstr("empty"));
}

TEST(Additive, ReadsAsAScorecard) {
  schema::Schema schema;
  schema.features.resize(4);
  for (std::size_t j = 0; j < 4; ++j) schema.features[j].name = std::string(1, static_cast<char>('A' + j));
  schema.features[0].missing_allowed = true;
  schema.features[2].kind = schema::Kind::categorical;
  schema.features[2].categories = {"Email", "Social"};
  AdditiveForm form = any_form();
  form.shapes.push_back({.cuts = {}, .contribution = {0}, .slope = {}});
  EXPECT_EQ(Additive(form).scorecard(schema),
            "score = +0.2500 and one number from each table below\n"
            "probability = 0.0300 + 0.9075 / (1 + exp(-score))\n"
            "\n"
            "A\n"
            "  under 1                                  -1.0000\n"
            "  1 to 2.5                                 +0.5000\n"
            "  2.5 and over                             +2.0000\n"
            "  missing or unknown                       -0.1250\n"
            "\n"
            "B\n"
            "  under 10                                 -3.0000\n"
            "  10 to 20                                 -3.0000 rising or falling evenly to +1.0000\n"
            "  20 and over                              +1.0000\n"
            "\n"
            "C\n"
            "  Email                                    +1.5000\n"
            "  Social                                   -1.5000\n"
            "\n"
            "of no influence: D\n");
}

TEST(Logistic, IsItsFormula) {
  const Logistic logistic(
      {.C = 1, .standardizer = {{10, 1}, {2, 4}, {12, 3}, {false, true}}, .intercept = 0.5, .coefficients = {2, -1}});
  EXPECT_DOUBLE_EQ(probability(logistic, {14, 3}), 1 / (1 + std::exp(-(0.5 + 2 * 2 - 0.5))));
  EXPECT_DOUBLE_EQ(probability(logistic, {nan, -1}), 1 / (1 + std::exp(-(0.5 + 2 * 1 - 0.5)))) << "filled";
  const std::vector<float> row{14, 3};
  double decision = 0;
  logistic.decide(features::MatrixView<float>{row.data(), 1, 2}, std::span(&decision, 1));
  EXPECT_DOUBLE_EQ(decision, 4);
}

}  // namespace
}  // namespace dropscore::model
