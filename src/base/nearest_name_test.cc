#include "base/nearest_name.h"

#include <vector>

#include <gtest/gtest.h>

namespace dropscore {
namespace {

TEST(NearestName, IgnoresCaseAndGivesUpWhenNothingIsClose) {
  const std::vector<std::string> header = {"age", "income", "web visits"};
  EXPECT_EQ(nearest_name("Age", header), "age");
  EXPECT_EQ(nearest_name("WebsiteVisits", header), "web visits");
  EXPECT_EQ(nearest_name("LoyaltyPoints", header), "");
}

}  // namespace
}  // namespace dropscore
