// Our splits, folds, figures, calibrations and classifiers against scikit-learn's, recorded in sklearn.json.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/files.h"
#include "base/json_reader.h"
#include "learn/logistic.h"
#include "learn/svm.h"
#include "metrics/classification.h"
#include "metrics/isotonic.h"
#include "metrics/platt.h"
#include "metrics/split.h"

namespace dropscore {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// One recorded question. Throws (value() of a failed Result) where the file is not as expected.
class Question {
 public:
  explicit Question(JsonReader json) : json_(std::move(json)) {}
  double number(const char* name) const { return member(name).number().value(); }
  std::uint64_t natural(const char* name) const { return member(name).natural().value(); }
  std::vector<double> numbers(const char* name) const { return member(name).numbers().value(); }
  std::vector<std::size_t> naturals(const char* name) const {
    std::vector<std::size_t> out;
    for (const double number : numbers(name)) out.push_back(static_cast<std::size_t>(number));
    return out;
  }
  /// A text of digits.
  Bytes digits(const char* name) const {
    Bytes out;
    const std::string text = member(name).text().value();
    for (const char digit : text) out.push_back(static_cast<std::uint8_t>(digit - '0'));
    return out;
  }
  features::Matrix<double> matrix(const char* name) const {
    const std::vector<JsonReader> lines = member(name).items().value();
    features::Matrix<double> out(lines.size(), lines.at(0).numbers().value().size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::vector<double> line = lines[i].numbers().value();
      std::copy(line.begin(), line.end(), out.row(i).begin());
    }
    return out;
  }
  learn::Parameters parameters() const {
    learn::Parameters out;
    const JsonReader given = member("parameters");
    for (const char* name : {"C", "gamma", "kernel"}) {
      if (given.has(name)) out[name] = JsonReader(given).member(name).value().text().value();
    }
    return out;
  }

 private:
  JsonReader member(const char* name) const { return JsonReader(json_).member(name).value(); }
  JsonReader json_;
};

class Sklearn : public testing::Test {
 protected:
  std::vector<Question> questions(const char* topic) {
    const std::string text = read_file(DROPSCORE_GOLDEN_DATA "/sklearn.json", 1U << 24U).value();
    std::vector<Question> out;
    JsonReader root(parser_.parse(text));
    const std::vector<JsonReader> items = root.member(topic).value().items().value();
    for (const JsonReader& item : items) out.emplace_back(item);
    EXPECT_FALSE(out.empty());
    return out;
  }

 private:
  simdjson::dom::parser parser_;  // owns what the questions view
};

TEST_F(Sklearn, SplitsAreTheSameRowsInTheSameOrder) {
  for (const Question& question : questions("splits")) {
    const auto split = metrics::stratified_split(question.digits("labels"), question.number("fraction"),
                                                 static_cast<std::uint32_t>(question.natural("seed")));
    ASSERT_TRUE(split) << split.error().detail.text;
    EXPECT_EQ(split->train, question.naturals("train"));
    EXPECT_EQ(split->test, question.naturals("test"));
  }
}

TEST_F(Sklearn, LargeSplitsAddUpToTheSame) {
  const auto weighted = [](const std::vector<std::size_t>& rows) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < rows.size(); ++at) sum += (at + 1) * rows[at];
    return sum;
  };
  for (const Question& question : questions("large_splits")) {
    Bytes labels;
    for (std::uint64_t i = 0; i < question.natural("rows"); ++i) labels.push_back(i * 7919 % 1000 < 877 ? 1 : 0);
    const auto split = metrics::stratified_split(labels, question.number("fraction"),
                                                 static_cast<std::uint32_t>(question.natural("seed")));
    ASSERT_TRUE(split);
    EXPECT_EQ(weighted(split->train), question.natural("train_sum"));
    EXPECT_EQ(weighted(split->test), question.natural("test_sum"));
  }
}

TEST_F(Sklearn, FoldsAreTheSame) {
  for (const Question& question : questions("folds")) {
    const auto fold_of =
        metrics::stratified_folds(question.digits("labels"), static_cast<std::uint32_t>(question.natural("folds")));
    ASSERT_TRUE(fold_of);
    const Bytes wanted = question.digits("fold_of");
    EXPECT_TRUE(std::equal(fold_of->begin(), fold_of->end(), wanted.begin(), wanted.end()));
  }
}

TEST_F(Sklearn, FiguresAreTheSame) {
  for (const Question& question : questions("figures")) {
    const std::vector<double> probabilities = question.numbers("probabilities");
    Bytes decisions;
    for (const double p : probabilities) decisions.push_back(p >= question.number("threshold") ? 1 : 0);
    const metrics::Figures ours = metrics::figures(question.digits("labels"), probabilities, decisions);
    const metrics::Confusion& c = ours.confusion;
    EXPECT_THAT(question.naturals("confusion"), testing::ElementsAre(c.tn, c.fp, c.fn, c.tp));
    const std::vector<std::pair<const char*, double>> figures{
        {"accuracy", c.accuracy()},
        {"precision", c.precision()},
        {"recall", c.recall()},
        {"f1", c.f1()},
        {"mcc", c.mcc()},
        {"roc_auc", ours.roc_auc},
        {"average_precision", ours.average_precision},
        {"average_precision_negative", ours.average_precision_negative},
        {"log_loss", ours.log_loss},
        {"brier_score", ours.brier_score}};
    for (const auto& [name, value] : figures) EXPECT_NEAR(value, question.number(name), 1e-12) << name;
  }
}

TEST_F(Sklearn, SigmoidsAreTheSame) {
  for (const Question& question : questions("sigmoids")) {
    const metrics::Sigmoid ours = metrics::fit_platt(question.numbers("decisions"), question.digits("labels"));
    // scikit-learn minimizes the same function by another method, which stops elsewhere.
    EXPECT_NEAR(ours.A, question.number("A"), 1e-4);
    EXPECT_NEAR(ours.B, question.number("B"), 1e-4);
  }
}

schema::Schema numeric_schema(std::size_t columns) {
  schema::Schema schema;
  for (std::size_t j = 0; j < columns; ++j) {
    schema::Feature feature;
    feature.name = std::string(1, static_cast<char>('a' + j));
    schema.features.push_back(feature);
  }
  return schema;
}

TEST_F(Sklearn, SupportVectorMachinesAreTheSame) {
  for (const Question& question : questions("machines")) {
    const features::Matrix<double> rows = question.matrix("rows");
    const Bytes labels = question.digits("labels");
    const schema::Schema schema = numeric_schema(rows.columns());
    const learn::TrainingSet data{rows.view(), labels, &schema};
    learn::Parameters parameters{{"kernel", "rbf"}, {"C", "1"}, {"gamma", "scale"}};  // scikit-learn's defaults
    for (const auto& [name, value] : question.parameters()) parameters[name] = value;
    const auto fitted = learn::svm_learner().fit(data, parameters, {});
    ASSERT_TRUE(fitted) << fitted.error().detail.text;
    const model::SvmForm& form = dynamic_cast<const model::Svm&>(**fitted).form();
    const std::vector<double> mean = question.numbers("mean");
    const std::vector<double> scale = question.numbers("scale");
    for (std::size_t j = 0; j < mean.size(); ++j) {
      EXPECT_NEAR(form.standardizer.mean[j], mean[j], 2e-15 * std::abs(mean[j]) + 1e-16);
      EXPECT_NEAR(form.standardizer.scale[j], scale[j], 2e-15 * scale[j]);
    }
    EXPECT_NEAR(form.parameters.gamma, question.number("gamma"), 1e-12);
    const bool linear = form.parameters.kernel == model::Kernel::linear;
    if (!linear) {
      EXPECT_THAT(question.naturals("support_vectors"),
                  testing::ElementsAre(form.negative_support_vectors,
                                       form.coefficients.size() - form.negative_support_vectors));
    }

    const features::Matrix<double> asked = question.matrix("asked");
    std::vector<double> decisions(asked.rows());
    (*fitted)->decide(asked.view(), decisions);
    // Our linear machine is solved to the optimum; scikit-learn's stops 1e-3 before it.
    const double near = linear ? 2e-3 : 1e-9;
    EXPECT_THAT(decisions, testing::Pointwise(testing::DoubleNear(near), question.numbers("decisions")));

    const auto calibration = learn::fit_original_calibration(data, parameters, {});
    ASSERT_TRUE(calibration);
    EXPECT_NEAR(calibration->A, question.number("A"), 1e-7);
    EXPECT_NEAR(calibration->B, -question.number("B"), 1e-7);
    std::vector<double> probabilities(asked.rows());
    calibration->apply(question.numbers("decisions"), probabilities);
    EXPECT_THAT(probabilities, testing::Pointwise(testing::DoubleNear(1e-7), question.numbers("probabilities")));
  }
}

// lbfgs stops near the optimum, Newton's method at it: with a tight tolerance the coefficients agree, and with
// scikit-learn's own the probabilities are as close as it gets.
TEST_F(Sklearn, LogisticRegressionsAreTheSame) {
  for (const Question& question : questions("regressions")) {
    const features::Matrix<double> rows = question.matrix("rows");
    const Bytes labels = question.digits("labels");
    const schema::Schema schema = numeric_schema(rows.columns());
    const auto fitted = learn::logistic_learner().fit({rows.view(), labels, &schema}, question.parameters(), {});
    ASSERT_TRUE(fitted) << fitted.error().detail.text;
    const model::LogisticForm& form = dynamic_cast<const model::Logistic&>(**fitted).form();
    EXPECT_NEAR(form.intercept, question.number("intercept"), 1e-5);
    EXPECT_THAT(form.coefficients, testing::Pointwise(testing::DoubleNear(1e-5), question.numbers("coefficients")));
    std::vector<double> probabilities(rows.rows());
    (*fitted)->decide(rows.view(), probabilities);
    for (double& value : probabilities) value = model::sigmoid(value, -1, 0);
    EXPECT_THAT(probabilities,
                testing::Pointwise(testing::DoubleNear(1e-4), question.numbers("original_probabilities")));
  }
}

TEST_F(Sklearn, IsotonicRegressionsAreTheSame) {
  for (const Question& question : questions("isotonics")) {
    const metrics::IsotonicPoints ours =
        metrics::fit_isotonic(question.numbers("decisions"), question.digits("labels"));
    EXPECT_EQ(ours.decision, question.numbers("at"));
    EXPECT_THAT(ours.probability, testing::Pointwise(testing::DoubleNear(1e-12), question.numbers("values")));
    const model::Calibration calibration{
        .kind = model::CalibrationKind::isotonic, .decision = ours.decision, .probability = ours.probability};
    ASSERT_TRUE(calibration.check());
    const std::vector<double> asked = question.numbers("asked");
    std::vector<double> probabilities(asked.size());
    calibration.apply(asked, probabilities);
    EXPECT_THAT(probabilities, testing::Pointwise(testing::DoubleNear(1e-12), question.numbers("probabilities")));
  }
}

}  // namespace
}  // namespace dropscore
