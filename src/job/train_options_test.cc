#include "job/train_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::job {
namespace {

using ::testing::HasSubstr;

TEST(ParseHoldout, TakesTheThreeForms) {
  const auto split = std::get<SklearnHoldout>(*parse_holdout("sklearn:7:0.25"));
  EXPECT_EQ(split.seed, 7U);
  EXPECT_EQ(split.fraction, 0.25);
  EXPECT_TRUE(std::holds_alternative<NoHoldout>(*parse_holdout("none")));
  EXPECT_EQ(std::get<FileHoldout>(*parse_holdout("later.csv")).path, "later.csv");
  for (const char* bad :
       {"", "sklearn:", "sklearn:x:0.2", "sklearn:1:0", "sklearn:1:1", "sklearn:1:nan", "sklearn:-1:0.2"}) {
    EXPECT_FALSE(parse_holdout(bad)) << bad;
  }
}

TEST(ParseThreshold, TakesEveryRule) {
  EXPECT_EQ(parse_threshold("mcc")->kind, ThresholdRule::Kind::mcc);
  EXPECT_EQ(parse_threshold("sign")->kind, ThresholdRule::Kind::sign);
  EXPECT_EQ(parse_threshold("0.3")->number, 0.3);
  EXPECT_EQ(parse_threshold("recall>=0.995")->number, 0.995);
  const auto profit = parse_threshold("profit:value=60,cost=4");
  EXPECT_EQ(profit->value, 60);
  EXPECT_EQ(profit->cost, 4);
  for (const char* bad :
       {"", "MCC", "1.5", "recall>=2", "profit:", "profit:value=0,cost=1", "profit:value=1,price=2"}) {
    EXPECT_FALSE(parse_threshold(bad)) << bad;
    EXPECT_EQ(parse_threshold(bad).error().kind, ErrorKind::misuse);
  }
}

TEST(AddSetting, SplitsModelParameterAndValue) {
  TrainOptions options;
  ASSERT_TRUE(add_setting(options, "svm.C=10"));
  ASSERT_TRUE(add_setting(options, "svm.gamma=0.01"));
  EXPECT_EQ(options.set["svm"]["C"], "10");
  EXPECT_EQ(options.set["svm"]["gamma"], "0.01");
  for (const char* bad : {"svm", "svm.C", "C=1", ".C=1", "svm.=1", "svm.C="})
    EXPECT_FALSE(add_setting(options, bad)) << bad;
}

}  // namespace
}  // namespace dropscore::job
