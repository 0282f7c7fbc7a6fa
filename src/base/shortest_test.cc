#include "base/shortest.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dropscore {
namespace {

std::string ours(double number) {
  std::array<char, most_number_bytes> text;
  return {text.data(), write_shortest(text.data(), number)};
}

std::string library(double number) {
  std::array<char, most_number_bytes> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

TEST(Shortest, IsWhatPeopleWrite) {
  EXPECT_EQ(ours(0), "0");
  EXPECT_EQ(ours(1), "1");
  EXPECT_EQ(ours(0.5), "0.5");
  EXPECT_EQ(ours(0.9929), "0.9929");
  EXPECT_EQ(ours(0.001), "0.001");
  EXPECT_EQ(ours(0.0001), "1e-04");
  EXPECT_EQ(ours(0.1 + 0.2), "0.30000000000000004");
}

TEST(Shortest, AgreesWithTheLibraryAroundEveryPowerOfTwo) {
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    double below = std::ldexp(1.0, exponent);
    double above = below;
    const int steps = exponent > -12 && exponent < 2 ? 20'000 : 20;
    for (int i = 0; i < steps; ++i) {
      ASSERT_EQ(ours(below), library(below));
      ASSERT_EQ(ours(above), library(above));
      below = std::nextafter(below, 0.0);
      above = std::nextafter(above, std::numeric_limits<double>::max());
    }
  }
}

TEST(Shortest, AgreesWithTheLibraryForFewDigits) {
  for (const double power : {10.0, 100.0, 1000.0, 1e4, 1e5}) {
    for (double i = 0; i <= power; ++i) {
      ASSERT_EQ(ours(i / power), library(i / power));
      ASSERT_EQ(ours(std::nextafter(i / power, 1)), library(std::nextafter(i / power, 1)));
    }
  }
}

RC_GTEST_PROP(Shortest, AgreesWithTheLibraryForRandomNumbers, (unsigned seed)) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int i = 0; i < 20'000; ++i) {
    const double x = unit(random);
    for (const double number : {x, 1 - x, x * x * x, static_cast<double>(static_cast<float>(x)), -x, 1e6 * x}) {
      RC_ASSERT(ours(number) == library(number));
    }
  }
}

}  // namespace
}  // namespace dropscore
