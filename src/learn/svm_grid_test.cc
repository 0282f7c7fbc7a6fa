#include "learn/svm_grid.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "learn/svm_test_data.h"
#include "metrics/classification.h"
#include "metrics/split.h"

namespace dropscore::learn {
namespace {

const std::vector<model::SvmParameters>& points() {
  static const std::vector<model::SvmParameters> all{
      {model::Kernel::rbf, 1.0, 0.1},     {model::Kernel::linear, 1.0, 0.1}, {model::Kernel::rbf, 100.0, 30.0},
      {model::Kernel::rbf, 1000.0, 30.0}, {model::Kernel::rbf, 0.1, 0.1},    {model::Kernel::linear, 1.0, 30.0},
      {model::Kernel::linear, 0.1, 0.1}};
  return all;
}

struct Searched {
  explicit Searched(unsigned threads) : data(400, 3, 31), folds(metrics::stratified_folds(data.labels, 4).value()) {
    SvmGridOptions options;
    options.threads = threads;
    options.progress = [&](std::size_t done, std::size_t total) {
      seen.push_back(done);
      of = total;
    };
    scores = search_svm_grid({data.rows, data.labels, folds, points()}, options).value();
  }
  TestData data;
  std::vector<std::uint32_t> folds;
  std::vector<std::size_t> seen;
  std::size_t of = 0;
  std::vector<SvmGridScore> scores;
};

double libsvm_f1(const TestData& data, const std::vector<std::uint32_t>& folds, std::uint32_t fold,
                 const model::SvmParameters& point) {
  std::vector<std::uint32_t> class_0;
  std::vector<std::uint32_t> class_1;
  for (std::uint32_t row = 0; row < folds.size(); ++row) {
    if (folds[row] != fold) (data.labels[row] != 0 ? class_1 : class_0).push_back(row);
  }
  const LibsvmFit fit(data.rows, class_0, class_1, point);
  std::vector<std::uint8_t> labels;
  std::vector<std::uint8_t> decided;
  for (std::uint32_t row = 0; row < folds.size(); ++row) {
    if (folds[row] != fold) continue;
    labels.push_back(data.labels[row]);
    decided.push_back(fit.decide(row) < 0 ? 1 : 0);
  }
  return metrics::confusion(labels, decided).f1();
}

TEST(SvmGrid, ScoresAreThoseOfLibsvm) {
  const Searched searched(2);
  ASSERT_EQ(searched.scores.size(), points().size());
  for (std::size_t p = 0; p < points().size(); ++p) {
    const SvmGridScore& score = searched.scores[p];
    EXPECT_EQ(score.point.C, points()[p].C);
    ASSERT_EQ(score.fold_f1.size(), 4U);
    double sum = 0;
    for (std::uint32_t fold = 0; fold < 4; ++fold) {
      sum += score.fold_f1[fold];
      const double expected = libsvm_f1(searched.data, searched.folds, fold, points()[p]);
      // LIBSVM stops the linear ones a little short of the optimum: a row may fall on the other side.
      EXPECT_NEAR(score.fold_f1[fold], expected, points()[p].kernel == model::Kernel::rbf ? 0 : 0.02) << p;
    }
    EXPECT_EQ(score.mean_f1, sum / 4);
  }
}

TEST(SvmGrid, SameWhateverTheThreads) {
  const Searched one(1);
  const Searched two(2);
  for (std::size_t p = 0; p < points().size(); ++p) {
    EXPECT_EQ(one.scores[p].fold_f1, two.scores[p].fold_f1);
    EXPECT_EQ(one.scores[p].mean_f1, two.scores[p].mean_f1);
    EXPECT_EQ(one.scores[p].iterations, two.scores[p].iterations);
  }
}

TEST(SvmGrid, TellsItsProgressFitByFit) {
  const Searched searched(2);
  // Seven points, of which two linear ones share their fits; four folds.
  EXPECT_EQ(searched.of, 24U);
  ASSERT_EQ(searched.seen.size(), 24U);
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(searched.seen[i], i + 1);
}

TEST(SvmGrid, StopsWhenAsked) {
  const TestData data(200, 2, 32);
  const auto folds = metrics::stratified_folds(data.labels, 5).value();
  SvmGridOptions options;
  std::atomic<int> asked = 0;
  options.stop_requested = [&] { return ++asked > 6; };
  const auto stopped = search_svm_grid({data.rows, data.labels, folds, points()}, options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::give_up);
}

TEST(SvmGrid, OfEqualsTheFirstIsBest) {
  const std::vector<SvmGridScore> scores{{{model::Kernel::rbf, 1, 1}, {}, 0.5, 0},
                                         {{model::Kernel::rbf, 2, 1}, {}, 0.7, 0},
                                         {{model::Kernel::rbf, 3, 1}, {}, 0.7, 0}};
  EXPECT_EQ(best_of(scores).point.C, 2);
}

TEST(SvmGrid, TheOriginalsGridIsListedAsScikitLearnListsIt) {
  const auto grid = original_svm_grid();
  ASSERT_EQ(grid.size(), 32U);
  EXPECT_EQ(grid[0].C, 0.1);
  EXPECT_EQ(grid[1].kernel, model::Kernel::linear);
  EXPECT_EQ(grid[2].gamma, 0.01);
  EXPECT_EQ(grid[31].C, 100);
}

}  // namespace
}  // namespace dropscore::learn
