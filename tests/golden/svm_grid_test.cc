// The original's grid search and final fit on its data, by our own solver: the same F1 at every point that scikit-learn
// finishes (svm_grid.csv), the same winner, the same support vectors, sigmoid and decision values. Needs the real data,
// which is not part of the project; skips without it.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text_source.h"
#include "features/encoder.h"
#include "learn/svc_fit.h"
#include "learn/svm.h"
#include "learn/svm_grid.h"
#include "metrics/platt.h"
#include "metrics/random.h"
#include "metrics/split.h"
#include "schema/fit.h"
#include "table/frame.h"

namespace dropscore {
namespace {

const std::filesystem::path shared_data = DROPSCORE_SHARED_DATA;
const std::filesystem::path golden_data = DROPSCORE_GOLDEN_DATA;

std::vector<std::vector<std::string>> read_cells(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path, 1U << 24U).value());
  std::vector<std::vector<std::string>> out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream cells(line);
    auto& row = out.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return out;
}

/// The original's 6,400 and 1,600 rows, standardized by the former.
struct OriginalData {
  features::Matrix<double> train;
  std::vector<std::uint8_t> labels;
  features::Matrix<double> test;
  model::Standardizer standardizer;
};

std::optional<OriginalData> read_original() {
  const auto path = shared_data / "digital_marketing_campaign_dataset.csv";
  if (!std::filesystem::exists(path)) return std::nullopt;
  TextSource source(read_file(path, 1U << 26U).value());
  table::RowErrors errors;
  const table::Frame frame = table::Frame::read(source, errors).value();
  const schema::Labels labels = schema::read_labels(frame, "Conversion").value();
  const metrics::Split split = metrics::stratified_split(labels.values, 0.2, 42).value();
  const schema::Schema schema = schema::fit(frame, split.train, labels.target, {}).value();
  std::vector<std::size_t> kept;
  const auto train = features::encode_frame(schema, frame, split.train, kept, errors).value();
  const auto test = features::encode_frame(schema, frame, split.test, kept, errors).value();
  EXPECT_EQ(errors.total(), 0U);
  OriginalData out;
  for (const std::size_t row : split.train) out.labels.push_back(labels.values[row]);
  out.standardizer = learn::fit_standardizer({train.view(), out.labels, &schema});
  out.standardizer.apply(train.view(), out.train);
  out.standardizer.apply(test.view(), out.test);
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(OriginalSvmGrid, HasScikitLearnsFiguresAndWinner) {
  const auto data = read_original();
  if (!data) GTEST_SKIP() << "the real data is not here";
  const auto folds = metrics::stratified_folds(data->labels, 5).value();
  const auto points = learn::original_svm_grid();
  learn::SvmGridOptions options;
  options.threads = 2;
  const auto start = std::chrono::steady_clock::now();
  const auto scores = learn::search_svm_grid({data->train, data->labels, folds, points}, options).value();
  std::printf("  32 points x 5 folds in %.2f s\n", seconds_since(start));

  const auto table = read_cells(golden_data / "svm_grid.csv");
  ASSERT_EQ(table.size(), 29U);
  std::size_t compared = 0;
  for (const learn::SvmGridScore& score : scores) {
    for (std::size_t line = 1; line < table.size(); ++line) {
      const auto& cells = table[line];
      if (cells[0] != model::name(score.point.kernel) || std::stod(cells[1]) != score.point.C ||
          std::stod(cells[2]) != score.point.gamma) {
        continue;
      }
      EXPECT_NEAR(score.mean_f1, std::stod(cells[3]), 2e-6) << cells[0] << ' ' << cells[1] << ' ' << cells[2];
      ++compared;
    }
  }
  EXPECT_EQ(compared, 28U);
  const learn::SvmGridScore& best = learn::best_of(scores);
  EXPECT_EQ(best.point.kernel, model::Kernel::rbf);
  EXPECT_EQ(best.point.C, 100);
  EXPECT_EQ(best.point.gamma, 0.01);
}

TEST(OriginalSvmGrid, TheFinalFitIsScikitLearnsOwn) {
  const auto data = read_original();
  const auto holdout_path = shared_data / "original_svm_holdout.csv";
  if (!data || !std::filesystem::exists(holdout_path)) GTEST_SKIP() << "the real data is not here";
  const auto start = std::chrono::steady_clock::now();
  learn::GramMatrix gram = learn::GramMatrix::allocate(data->train.rows()).value();
  gram.fill(data->train, model::Kernel::rbf, 0.01, 2);
  learn::SvcFold whole;
  for (std::uint32_t row = 0; row < data->labels.size(); ++row) {
    (data->labels[row] != 0 ? whole.second : whole.first).push_back(row);
  }
  const auto seed = metrics::NumpyRandom(42).randint((std::uint64_t{1} << 31U) - 1);
  const auto inner = learn::original_inner_folds(data->labels, static_cast<std::uint32_t>(seed));
  learn::SvcOptions options;
  options.C = 10;
  options.threads = 2;
  learn::SvcFit fit;
  const std::vector<double> out_of_fold = learn::decide_out_of_fold(gram, inner, options, &whole, &fit).value();
  // As LIBSVM has it: the sigmoid is about class 0, and rows come class after class.
  std::vector<double> decisions;
  std::vector<std::uint8_t> is_class_0;
  for (const auto* rows : {&whole.first, &whole.second}) {
    for (const std::uint32_t row : *rows) {
      decisions.push_back(-out_of_fold[row]);
      is_class_0.push_back(rows == &whole.first ? 1 : 0);
    }
  }
  const metrics::Sigmoid sigmoid = metrics::fit_platt(decisions, is_class_0);
  std::printf("  kernel matrix, six fits and Platt's sigmoid in %.2f s\n", seconds_since(start));
  EXPECT_EQ(fit.first_count, 774U);
  EXPECT_EQ(fit.rows.size(), 774U + 911U);
  EXPECT_NEAR(sigmoid.A, -2.448526012375315, 1e-10);
  EXPECT_NEAR(sigmoid.B, -0.697225075030077, 1e-10);

  const auto holdout = read_cells(holdout_path);
  ASSERT_EQ(holdout.size(), data->test.rows() + 1);
  double worst = 0;
  for (std::size_t i = 0; i < data->test.rows(); ++i) {
    double decision = fit.rho;  // greater means class 0: turned
    for (std::size_t s = 0; s < fit.rows.size(); ++s) {
      double squares = 0;
      for (std::size_t f = 0; f < data->test.columns(); ++f) {
        const double difference = data->train(fit.rows[s], f) - data->test(i, f);
        squares += difference * difference;
      }
      decision -= fit.coefficients[s] * std::exp(-0.01 * squares);
    }
    worst = std::max(worst, std::abs(decision - std::stod(holdout[i + 1][1])));
  }
  std::printf("  held-out decision values differ by at most %.3g\n", worst);
  EXPECT_LT(worst, 1e-9);
}

}  // namespace
}  // namespace dropscore
