// What floats are decided with, on every target that this machine runs: close to the double path, and the same bytes
// however the rows are cut into batches.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "model/additive.h"
#include "model/calibration.h"
#include "model/link_simd.h"
#include "model/logistic.h"
#include "model/ranks.h"
#include "model/svm.h"
#include "model/trees.h"
#include "tests/support/simd_targets.h"

namespace dropscore::model {
namespace {

using testing::on_each_target;

const float nan = std::numeric_limits<float>::quiet_NaN();
const float infinity = std::numeric_limits<float>::infinity();

Standardizer any_standardizer(std::mt19937& engine, std::size_t columns) {
  std::normal_distribution<double> normal;
  Standardizer out;
  for (std::size_t j = 0; j < columns; ++j) {
    out.mean.push_back(normal(engine));
    out.scale.push_back(std::exp(normal(engine)));
    out.fill.push_back(normal(engine));
    out.categorical.push_back(j % 5 == 4);
  }
  return out;
}

std::unique_ptr<Predictor> any_svm(std::mt19937& engine, std::size_t columns, SvmParameters parameters) {
  std::normal_distribution<double> normal;
  SvmForm form;
  form.parameters = parameters;
  form.standardizer = any_standardizer(engine, columns);
  form.support_vectors = features::Matrix<double>(300, columns);
  for (std::size_t i = 0; i < 300; ++i) {
    for (double& value : form.support_vectors.row(i)) value = normal(engine);
    form.coefficients.push_back(i < 120 ? -1.5 * parameters.C : parameters.C);
  }
  form.rho = 0.5;
  return std::make_unique<Svm>(std::move(form));
}

std::unique_ptr<Predictor> any_logistic(std::mt19937& engine, std::size_t columns) {
  std::normal_distribution<double> normal;
  LogisticForm form;
  form.standardizer = any_standardizer(engine, columns);
  form.intercept = normal(engine);
  for (std::size_t j = 0; j < columns; ++j) form.coefficients.push_back(normal(engine));
  return std::make_unique<Logistic>(std::move(form));
}

/// Steps, lines and categories, with few cuts and with more than are compared one after the other.
std::unique_ptr<Predictor> any_additive(std::mt19937& engine, std::size_t columns, double floor) {
  std::normal_distribution<double> normal;
  AdditiveForm form;
  form.intercept = 0.25;
  form.floor = floor;
  form.drop = floor / 2;
  for (std::size_t j = 0; j < columns; ++j) {
    AdditiveShape shape;
    shape.missing = normal(engine);
    shape.categorical = j % 5 == 4;
    const std::size_t cuts = shape.categorical ? 0 : std::vector<std::size_t>{0, 3, 17, 200}[j % 4];
    for (std::size_t k = 0; k < cuts; ++k) shape.cuts.push_back(-2 + 4 * static_cast<double>(k) / 199.9);
    for (std::size_t k = 0; k < (shape.categorical ? 3 : cuts + 1); ++k) shape.contribution.push_back(normal(engine));
    if (!shape.categorical && j % 2 == 1) {
      for (std::size_t k = 0; k <= cuts; ++k) shape.slope.push_back(k % 3 == 1 && k < cuts ? normal(engine) : 0);
    }
    form.shapes.push_back(std::move(shape));
  }
  return std::make_unique<Additive>(std::move(form));
}

/// Trees of `depth` levels over thresholds at one of `grid` places; each tree asks about `asked` features at most.
std::unique_ptr<Predictor> any_trees(std::mt19937& engine, std::size_t columns, TreeRule rule, std::size_t depth,
                                     std::size_t asked, std::uint32_t grid) {
  TreesForm form;
  form.rule = rule;
  form.base = rule == TreeRule::boosted ? 0.125 : 0;
  for (std::size_t j = 0; j < columns; ++j) form.categorical.push_back(j % 5 == 4);
  for (std::size_t tree = 0; tree < 13; ++tree) {
    std::vector<TreeNode> nodes(1);
    std::vector<std::size_t> depths{0};
    const auto first = static_cast<std::size_t>(engine()) % columns;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (depths[i] >= depth || engine() % 8 == 0) {
        nodes[i].value = static_cast<float>(engine() % 1000) / 999.0F;
        continue;
      }
      nodes[i] = {.feature = static_cast<std::int32_t>((first + engine() % asked) % columns),
                  .value = static_cast<float>(engine() % grid) * 4 / static_cast<float>(grid) - 2,
                  .left = static_cast<std::uint32_t>(nodes.size()),
                  .right = static_cast<std::uint32_t>(nodes.size() + 1),
                  .missing_left = engine() % 2 == 0};
      nodes.resize(nodes.size() + 2);
      depths.resize(nodes.size(), depths[i] + 1);
    }
    form.trees.add(nodes);
  }
  return std::make_unique<Trees>(std::move(form));
}

struct Case {
  const char* name;
  std::unique_ptr<Predictor> predictor;
  double tolerance;
};

std::vector<Case> every_kernel(unsigned seed, std::size_t columns) {
  std::mt19937 engine(seed);
  std::vector<Case> all;
  const auto rbf = [&](const char* name, double gamma) {
    all.push_back({name, any_svm(engine, columns, {.kernel = Kernel::rbf, .C = 10, .gamma = gamma}), 1e-5});
  };
  rbf("rbf, near", 0.002);
  rbf("rbf, middle", 0.05);
  rbf("rbf, far", 0.5);
  all.push_back({"linear", any_svm(engine, columns, {.kernel = Kernel::linear, .C = 0.1, .gamma = 0}), 1e-11});
  all.push_back({"logistic", any_logistic(engine, columns), 1e-12});
  all.push_back({"additive", any_additive(engine, columns, 0), 0});
  all.push_back({"additive, bounded", any_additive(engine, columns, 0.03), 1e-12});
  all.push_back({"trees of one feature", any_trees(engine, columns, TreeRule::boosted, 3, 1, 64), 1e-13});
  all.push_back({"boosted", any_trees(engine, columns, TreeRule::boosted, 5, columns, 64), 0});
  all.push_back({"forest", any_trees(engine, columns, TreeRule::forest, 9, columns, 32), 0});
  all.push_back({"forest of many thresholds", any_trees(engine, columns, TreeRule::forest, 13, 1, 1U << 20U), 0});
  return all;
}

/// Ordinary cells, with a missing one, an infinity, a float's limit or a category's code here and there.
features::Matrix<float> any_rows(unsigned seed, std::size_t count, std::size_t columns) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  const std::vector<float> odd{
      nan, infinity, -infinity, 0.0F, -0.0F, std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(),
      -1,  1,        2,         3,    1.5F};
  features::Matrix<float> rows(count, columns);
  for (std::size_t i = 0; i < count; ++i) {
    const bool tame = i % 4 != 0;
    for (float& cell : rows.row(i)) {
      cell = normal(engine);
      if (!tame && engine() % 3 == 0) cell = odd[engine() % odd.size()];
    }
  }
  return rows;
}

features::Matrix<double> widen(const features::Matrix<float>& rows) {
  features::Matrix<double> out(rows.rows(), rows.columns());
  for (std::size_t i = 0; i < rows.rows(); ++i) std::copy(rows.row(i).begin(), rows.row(i).end(), out.row(i).begin());
  return out;
}

std::vector<double> decide(const Predictor& predictor, features::MatrixView<float> rows) {
  std::vector<double> out(rows.rows);
  predictor.decide(rows, out);
  return out;
}

TEST(Kernels, AreCloseToDoubleOnEveryTarget) {
  for (const std::size_t columns : {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{29}}) {
    const features::Matrix<float> rows = any_rows(2, 333, columns);
    const features::Matrix<double> wide = widen(rows);
    for (const Case& one : every_kernel(1, columns)) {
      std::vector<double> exact(rows.rows());
      one.predictor->decide(wide.view(), exact);
      on_each_target([&] {
        const std::vector<double> fast = decide(*one.predictor, rows);
        for (std::size_t i = 0; i < exact.size(); ++i) {
          EXPECT_NEAR(fast[i], exact[i], one.tolerance * (1 + std::abs(exact[i])))
              << one.name << ", " << columns << " columns, row " << i;
        }
      });
    }
  }
}

TEST(Kernels, GiveARowTheSameBytesInEveryBatchAndThread) {
  const features::Matrix<float> rows = any_rows(4, 700, 16);
  for (const Case& one : every_kernel(3, 16)) {
    on_each_target([&] {
      const std::vector<double> whole = decide(*one.predictor, rows);
      std::mt19937 engine(5);
      std::vector<double> pieces(rows.rows());
      const auto in_pieces = [&](std::size_t from, std::size_t to, unsigned longest) {
        for (std::size_t at = from; at < to;) {
          const std::size_t count = std::min<std::size_t>(to - at, 1 + engine() % longest);
          one.predictor->decide(rows.view().block(at, count), std::span(pieces).subspan(at, count));
          at += count;
        }
      };
      in_pieces(0, rows.rows(), 20);
      EXPECT_EQ(pieces, whole) << one.name;
      for (std::size_t at = 0; at < 40; ++at) in_pieces(at, at + 1, 1);
      EXPECT_EQ(pieces, whole) << one.name;
      std::fill(pieces.begin(), pieces.end(), 0.0);
      std::thread other([&] { one.predictor->decide(rows.view().block(0, 301), std::span(pieces).subspan(0, 301)); });
      one.predictor->decide(rows.view().block(301, 399), std::span(pieces).subspan(301, 399));
      other.join();
      EXPECT_EQ(pieces, whole) << one.name;
    });
  }
}

TEST(Kernels, SigmoidsAreTheSigmoid) {
  std::vector<double> f{0, -0.0, 1e300, -1e300, 709, -709, 745, -745};
  for (double x = -60; x < 60; x += 0.037) f.push_back(x);
  on_each_target([&] {
    for (const double a : {-1.0, -2.5, 0.0}) {
      std::vector<double> p(f.size());
      sigmoids(f, a, 0.25, p);
      for (std::size_t i = 0; i < f.size(); ++i) {
        const double exact = sigmoid(f[i], a, 0.25);
        EXPECT_NEAR(p[i], exact, std::max(1e-15 * exact, 1e-300)) << f[i];
      }
    }
  });
}

TEST(Kernels, BoundedLogOddsAreTheirFormula) {
  on_each_target([] {
    for (const auto& [floor, drop] : {std::pair(0.02, 0.04), std::pair(0.0, 0.1), std::pair(0.3, 0.0)}) {
      std::vector<double> f;
      for (double x = -30; x < 30; x += 0.0173) f.push_back(x);
      std::vector<double> out = f;
      bounded_log_odds(out, floor, drop);
      for (std::size_t i = 0; i < f.size(); ++i) {
        const double span = 1 - floor - drop;
        const double exact =
            std::log(floor + span * sigmoid(f[i], -1, 0)) - std::log(drop + span * sigmoid(f[i], 1, 0));
        EXPECT_NEAR(out[i], exact, 1e-14 * (1 + std::abs(f[i]))) << f[i];
      }
      f = {1e15, -1e15};
      bounded_log_odds(f, floor, drop);
      EXPECT_TRUE(std::isfinite(f[0]) && std::isfinite(f[1]));
    }
  });
}

RC_GTEST_PROP(Kernels, RanksCountThresholds, ()) {
  const auto size = *rc::gen::element<std::size_t>(1, 15, 16, 17, 200, 255, 256, 257, 5000);
  const float step = *rc::gen::element(0.5F, 1.0F, 1e-3F);
  std::vector<float> thresholds;
  for (std::size_t i = 0; i < size; ++i) thresholds.push_back((static_cast<float>(i) - 20) * step);
  std::vector<float> x{infinity, -infinity, std::numeric_limits<float>::max(), 0.0F, -0.0F};
  for (int i = 0; i < 50; ++i) x.push_back(static_cast<float>(*rc::gen::inRange(-50, 11000)) * step / 2);
  const Ranks ranks(thresholds);
  on_each_target([&] {
    std::vector<std::uint16_t> out(x.size());
    ranks.count(x.data(), 1, out);
    for (std::size_t i = 0; i < x.size(); ++i) {
      RC_ASSERT(out[i] == std::upper_bound(thresholds.begin(), thresholds.end(), x[i]) - thresholds.begin());
    }
  });
}

}  // namespace
}  // namespace dropscore::model
