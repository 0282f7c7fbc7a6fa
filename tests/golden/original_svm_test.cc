// The original system's support vector machine, fitted by us on its data: the same rows, support vectors, sigmoid,
// decision values and published probabilities. Needs the real data, which is not part of the project; skips without it.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json_reader.h"
#include "base/text_source.h"
#include "features/encoder.h"
#include "learn/svm.h"
#include "metrics/classification.h"
#include "metrics/split.h"
#include "model/model.h"
#include "schema/fit.h"
#include "table/frame.h"
#include "tests/support/simd_targets.h"

namespace dropscore {
namespace {

const std::filesystem::path shared_data = DROPSCORE_SHARED_DATA;

table::Frame read_frame(const char* name) {
  TextSource source(read_file(shared_data / name, 1U << 26U).value());
  table::RowErrors errors;
  table::Frame frame = table::Frame::read(source, errors).value();
  EXPECT_EQ(errors.total(), 0U);
  return frame;
}

features::Matrix<double> encode(const schema::Schema& schema, const table::Frame& frame,
                                std::span<const std::size_t> rows) {
  std::vector<std::size_t> kept;
  table::RowErrors errors;
  features::Matrix<double> matrix = features::encode_frame(schema, frame, rows, kept, errors).value();
  EXPECT_EQ(errors.total(), 0U);
  return matrix;
}

features::Matrix<float> narrow(const features::Matrix<double>& wide) {
  features::Matrix<float> out(wide.rows(), wide.columns());
  for (std::size_t i = 0; i < wide.rows(); ++i) {
    for (std::size_t j = 0; j < wide.columns(); ++j) out(i, j) = static_cast<float>(wide(i, j));
  }
  return out;
}

double worst_difference(std::span<const double> ours, std::span<const double> theirs) {
  EXPECT_EQ(ours.size(), theirs.size());
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) worst = std::max(worst, std::abs(ours[i] - theirs[i]));
  return worst;
}

void report(const char* what, double worst) { std::printf("  %-44s %.3g\n", what, worst); }

/// original_svm_holdout.csv: for the held-out rows, in the split's order.
struct Holdout {
  std::vector<std::size_t> rows;
  std::vector<double> decisions;
  std::vector<double> sigmoids;
  std::vector<double> probabilities;
};

Holdout read_holdout() {
  std::istringstream lines(read_file(shared_data / "original_svm_holdout.csv", 1U << 24U).value());
  Holdout out;
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "row,decision_value,sigmoid,probability_conversion");
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::array<std::string, 4> cell;
    for (std::string& one : cell) std::getline(cells, one, ',');
    out.rows.push_back(std::stoul(cell[0]));
    out.decisions.push_back(std::stod(cell[1]));
    out.sigmoids.push_back(std::stod(cell[2]));
    out.probabilities.push_back(std::stod(cell[3]));
  }
  return out;
}

std::vector<double> published_probabilities() {
  simdjson::dom::parser parser;
  JsonReader root(parser.parse(read_file(shared_data / "test_restart.csv.json", 1U << 16U).value()));
  std::vector<double> out;
  JsonReader answer = root.member("predictions").value();
  const std::vector<JsonReader> predictions = answer.member("predictions").value().items().value();
  for (JsonReader item : predictions) {
    out.push_back(item.member("probability_conversion").value().number().value());
  }
  return out;
}

std::size_t negative_support_vectors(const model::Model& model) {
  return dynamic_cast<const model::Svm&>(model.predictor()).form().negative_support_vectors;
}

std::vector<std::size_t> all_rows(const table::Frame& frame) {
  std::vector<std::size_t> rows(frame.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

/// Rows of single-precision numbers, each feature's evenly over what training saw.
features::Matrix<double> random_rows(const schema::Schema& schema, std::size_t count, std::mt19937& engine) {
  features::Matrix<double> rows(count, schema.size());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < schema.size(); ++j) {
      const schema::Feature& feature = schema.features[j];
      const double share = static_cast<double>(engine()) / 0x1p32;
      rows(i, j) = feature.categories.empty()
                       ? static_cast<double>(static_cast<float>(std::lerp(feature.minimum, feature.maximum, share)))
                       : std::floor(share * static_cast<double>(feature.categories.size()));
    }
  }
  return rows;
}

/// The greatest difference between what the two precisions make of the rows, decision value and sigmoid.
struct Differences {
  double decision = 0;
  double sigmoid = 0;
};
void compare(const model::Model& model, const features::Matrix<float>& rows, std::span<const double> exact,
             Differences& worst) {
  const model::Calibration& calibration = model.calibration();
  std::vector<double> fast(rows.rows());
  model.predictor().decide(rows.view(), fast);
  for (std::size_t i = 0; i < fast.size(); ++i) {
    const double p = model::sigmoid(fast[i], calibration.A, calibration.B);
    worst.decision = std::max(worst.decision, std::abs(fast[i] - exact[i]));
    worst.sigmoid = std::max(worst.sigmoid, std::abs(p - model::sigmoid(exact[i], calibration.A, calibration.B)));
  }
}

/// The promise of single precision, which is about the plain sigmoid: within 1e-5 on every target. Every row of the
/// data and a million random ones; on targets other than the best, a twentieth of those.
void check_single_precision(const model::Model& model, const features::Matrix<double>& data) {
  std::mt19937 engine(1);
  constexpr int chunks = 20;
  for (int chunk = -1; chunk < chunks; ++chunk) {
    const features::Matrix<double> rows = chunk < 0 ? data : random_rows(model.schema(), 50'000, engine);
    std::vector<double> exact(rows.rows());
    model.predictor().decide(rows.view(), exact);
    const features::Matrix<float> narrowed = narrow(rows);
    Differences worst;
    if (chunk <= 0) {
      testing::on_each_target([&] { compare(model, narrowed, exact, worst); });
    } else {
      compare(model, narrowed, exact, worst);
    }
    if (chunk <= 0) {
      report(chunk < 0 ? "single precision, the data: decision values" : "random rows: decision values",
             worst.decision);
      report("sigmoids", worst.sigmoid);
    }
    EXPECT_LT(worst.sigmoid, 1e-5);
  }
}

TEST(OriginalSvm, IsReproduced) {
  for (const char* name : {"digital_marketing_campaign_dataset.csv", "original_svm_holdout.csv", "test_restart.csv",
                           "test_restart.csv.json"}) {
    if (!std::filesystem::exists(shared_data / name)) GTEST_SKIP() << "the real data is not here: no " << name;
  }
  const table::Frame frame = read_frame("digital_marketing_campaign_dataset.csv");
  const schema::Labels labels = schema::read_labels(frame, "Conversion").value();
  const metrics::Split split = metrics::stratified_split(labels.values, 0.2, 42).value();
  const Holdout holdout = read_holdout();
  ASSERT_EQ(split.train.size(), 6400U);
  ASSERT_EQ(split.test, holdout.rows);

  const schema::Schema schema = schema::fit(frame, split.train, labels.target, {}).value();
  ASSERT_EQ(schema.size(), 16U);
  const features::Matrix<double> train = encode(schema, frame, split.train);
  std::vector<std::uint8_t> train_labels;
  for (const std::size_t row : split.train) train_labels.push_back(labels.values[row]);
  const learn::TrainingSet data{train.view(), train_labels, &schema};
  const learn::Parameters parameters{{"kernel", "rbf"}, {"C", "10"}, {"gamma", "0.01"}};
  learn::LearnContext context;
  context.threads = 2;

  const auto start = std::chrono::steady_clock::now();
  model::ModelParts parts;
  parts.schema = schema;
  parts.predictor = learn::svm_learner().fit(data, parameters, context).value();
  const auto fitted = std::chrono::steady_clock::now();
  parts.calibration = learn::fit_original_calibration(data, parameters, context).value();
  const auto calibrated = std::chrono::steady_clock::now();
  parts.decision.kind = model::DecisionRule::Kind::sign;
  const auto model = model::Model::make(std::move(parts)).value();
  const auto& form = dynamic_cast<const model::Svm&>(model->predictor()).form();
  std::printf("  fit %.2f s, calibration %.2f s, document %zu bytes\n",
              std::chrono::duration<double>(fitted - start).count(),
              std::chrono::duration<double>(calibrated - fitted).count(), model->document().size());
  EXPECT_EQ(negative_support_vectors(*model), 774U);
  EXPECT_EQ(form.coefficients.size(), 774U + 911U);
  report("A", std::abs(model->calibration().A - -2.448526012375315));
  report("B", std::abs(model->calibration().B - 0.697225075030077));
  EXPECT_NEAR(model->calibration().A, -2.448526012375315, 1e-6);
  EXPECT_NEAR(model->calibration().B, 0.697225075030077, 1e-6);

  const features::Matrix<double> test = encode(schema, frame, split.test);
  std::vector<double> decisions(test.rows());
  std::vector<double> sigmoids;
  std::vector<double> probabilities(test.rows());
  model->predictor().decide(test.view(), decisions);
  const model::Calibration& calibration = model->calibration();
  for (const double f : decisions) sigmoids.push_back(model::sigmoid(f, calibration.A, calibration.B));
  calibration.apply(decisions, probabilities);
  report("held-out decision values", worst_difference(decisions, holdout.decisions));
  report("held-out sigmoids", worst_difference(sigmoids, holdout.sigmoids));
  report("held-out coupled probabilities", worst_difference(probabilities, holdout.probabilities));
  EXPECT_LT(worst_difference(decisions, holdout.decisions), 1e-6);
  EXPECT_LT(worst_difference(sigmoids, holdout.sigmoids), 1e-6);
  EXPECT_LT(worst_difference(probabilities, holdout.probabilities), 1e-6);

  std::vector<model::Score> scores(test.rows());
  model->score(test.view(), scores);
  std::vector<std::uint8_t> decided;
  std::vector<std::uint8_t> test_labels;
  for (const model::Score& score : scores) decided.push_back(score.converts ? 1 : 0);
  for (const std::size_t row : split.test) test_labels.push_back(labels.values[row]);
  const metrics::Confusion counts = metrics::confusion(test_labels, decided);
  EXPECT_EQ(counts.tn, 24U);
  EXPECT_EQ(counts.fp, 174U);
  EXPECT_EQ(counts.fn, 7U);
  EXPECT_EQ(counts.tp, 1395U);

  check_single_precision(*model, encode(schema, frame, all_rows(frame)));

  const table::Frame sample = read_frame("test_restart.csv");
  const std::vector<std::size_t> three{0, 1, 2};
  std::vector<model::Score> sample_scores(3);
  model->score(encode(schema, sample, three).view(), sample_scores);
  std::vector<double> sample_probabilities;
  for (const model::Score& score : sample_scores) sample_probabilities.push_back(score.probability);
  report("the three customers", worst_difference(sample_probabilities, published_probabilities()));
  EXPECT_LT(worst_difference(sample_probabilities, published_probabilities()), 1e-6);
  EXPECT_TRUE(sample_scores[0].converts && !sample_scores[1].converts && sample_scores[2].converts);
}

}  // namespace
}  // namespace dropscore
