#include "app/cli/serving_options.h"

#include <gtest/gtest.h>

namespace dropscore::app {
namespace {

TEST(SideBySide, FollowsTheProcessorsFromTwoToEight) {
  EXPECT_EQ(side_by_side(0, 1), 2U);
  EXPECT_EQ(side_by_side(0, 2), 2U);
  EXPECT_EQ(side_by_side(0, 5), 5U);
  EXPECT_EQ(side_by_side(0, 64), 8U);
}

TEST(SideBySide, IsWhatItIsToldToBe) {
  EXPECT_EQ(side_by_side(1, 64), 1U);
  EXPECT_EQ(side_by_side(16, 2), 16U);
}

/// Options as they stand before and after a command line, on any machine.
TEST(SideBySide, IsChosenForTheWorkersOfAJourney) {
  CLI::App app;
  TriggerArguments trigger;
  trigger.add_to(app);
  app.parse("");
  trigger.finish({});
  EXPECT_EQ(trigger.journey.worker.threads, side_by_side(0));
  app.parse("--workers 3");
  trigger.finish({});
  EXPECT_EQ(trigger.journey.worker.threads, 3U);
}

}  // namespace
}  // namespace dropscore::app
