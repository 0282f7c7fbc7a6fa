#include "learn/gram.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "learn/svm_test_data.h"

namespace dropscore::learn {
namespace {

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t f = 0; f < a.size(); ++f) sum += a[f] * b[f];
  return sum;
}

// The exponential's three ranges: normal floats, denormal ones and 0; and a near tie is met now and then.
TEST(GramMatrix, HoldsWhatStdExpWouldGive) {
  for (const std::size_t rows : {1U, 63U, 64U, 65U, 300U}) {
    const TestData data(rows, 7, 1);
    for (const double gamma : {1e-9, 0.01, 0.3, 1.0, 5.0, 1e6}) {
      GramMatrix gram = GramMatrix::allocate(rows).value();
      gram.fill(data.rows, model::Kernel::rbf, gamma, 2);
      for (std::size_t i = 0; i < rows; ++i) {
        const auto a = data.rows.row(i);
        EXPECT_EQ(gram.diagonal()[i], 1.0);
        for (std::size_t j = 0; j < rows; ++j) {
          const auto b = data.rows.row(j);
          const double expected = std::exp(-gamma * (dot(a, a) + dot(b, b) - 2 * dot(a, b)));
          ASSERT_EQ(gram.row(i)[j], static_cast<float>(expected)) << i << ' ' << j << ' ' << gamma;
        }
        for (std::size_t j = rows; j < gram.stride(); ++j) ASSERT_EQ(gram.row(i)[j], 0.0F);
      }
    }
  }
}

TEST(GramMatrix, ManyExponentsRoundAsStdExpDoes) {
  // One feature, so that a million pairs are a million different exponents.
  features::Matrix<double> line(1024, 1);
  std::mt19937_64 engine(3);
  for (std::size_t i = 0; i < 1024; ++i) line(i, 0) = std::uniform_real_distribution(-5.5, 5.5)(engine);
  GramMatrix gram = GramMatrix::allocate(1024).value();
  gram.fill(line, model::Kernel::rbf, 1.0, 1);
  for (std::size_t i = 0; i < 1024; ++i) {
    for (std::size_t j = 0; j < 1024; ++j) {
      const double a = line(i, 0);
      const double b = line(j, 0);
      ASSERT_EQ(gram.row(i)[j], static_cast<float>(std::exp(-1.0 * (a * a + b * b - 2 * (a * b))))) << a << ' ' << b;
    }
  }
}

TEST(GramMatrix, LinearIsTheDotProduct) {
  const TestData data(100, 5, 2);
  GramMatrix gram = GramMatrix::allocate(100).value();
  gram.fill(data.rows, model::Kernel::linear, 0, 1);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(gram.diagonal()[i], dot(data.rows.row(i), data.rows.row(i)));
    for (std::size_t j = 0; j < 100; ++j) {
      EXPECT_EQ(gram.row(i)[j], static_cast<float>(dot(data.rows.row(i), data.rows.row(j))));
    }
  }
}

TEST(GramMatrix, CanBeFilledAgain) {
  const TestData data(130, 4, 3);
  GramMatrix twice = GramMatrix::allocate(130).value();
  twice.fill(data.rows, model::Kernel::rbf, 2.0, 2);
  twice.fill(data.rows, model::Kernel::rbf, 0.5, 1);
  GramMatrix once = GramMatrix::allocate(130).value();
  once.fill(data.rows, model::Kernel::rbf, 0.5, 2);
  for (std::size_t i = 0; i < 130; ++i) {
    EXPECT_TRUE(std::equal(once.row(i), once.row(i) + once.stride(), twice.row(i)));
  }
}

TEST(GramMatrix, RefusesTooManyRows) {
  const auto refused = GramMatrix::allocate(20'001);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  EXPECT_NE(refused.error().customer.text.find("20000 rows"), std::string::npos) << refused.error().customer.text;
  EXPECT_FALSE(GramMatrix::allocate(11, 10));
}

}  // namespace
}  // namespace dropscore::learn
