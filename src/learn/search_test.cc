#include "learn/search.h"

#include <cmath>

#include <gtest/gtest.h>

namespace dropscore::learn {
namespace {

std::vector<Dimension> plane() { return {{"a", {"0", "1", "2", "3", "4"}}, {"b", {"0", "1", "2", "3", "4"}}}; }

double valley(const Parameters& p) {
  return -std::pow(std::stod(p.at("a")) - 3, 2) - std::pow(std::stod(p.at("b")) - 1, 2);
}

TEST(Search, ClimbsToTheBestAndStops) {
  Search search({{"a", "0"}, {"b", "4"}}, plane(), 100);
  while (const auto parameters = search.ask()) search.tell(valley(*parameters));
  EXPECT_EQ(search.best(), (Parameters{{"a", "3"}, {"b", "1"}}));
  EXPECT_LT(search.asked(), 25U) << "fewer than the whole grid";
}

TEST(Search, KeepsToItsBudgetAndAsksNothingTwice) {
  Search search({{"a", "2"}, {"b", "2"}}, plane(), 4);
  std::set<Parameters> asked;
  while (const auto parameters = search.ask()) {
    EXPECT_TRUE(asked.insert(*parameters).second);
    search.tell(valley(*parameters));
  }
  EXPECT_EQ(asked.size(), 4U);
}

TEST(Search, AFailureIsOneValueAmongOthers) {
  Search search({{"a", "2"}, {"b", "2"}}, plane(), 100);
  while (const auto parameters = search.ask()) search.tell(parameters->at("a") == "2" ? failed : valley(*parameters));
  EXPECT_EQ(search.best(), (Parameters{{"a", "3"}, {"b", "1"}}));
}

TEST(Search, WithNothingToChooseAsksOnce) {
  Search search({{"a", "7"}}, {}, 10);
  EXPECT_TRUE(search.ask());
  search.tell(1);
  EXPECT_FALSE(search.ask());
}

}  // namespace
}  // namespace dropscore::learn
