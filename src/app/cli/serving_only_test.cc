// What a build without training says to those who want to train.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/command.h"

namespace dropscore::app {
namespace {

using testing::HasSubstr;

struct Said {
  int exit_code = -1;
  std::string text;
};

Said say(const std::string& command_line) {
  CLI::App app;
  app.require_subcommand(1);
  app.fallthrough();
  Action action;
  add_train(app, action);
  app.parse(command_line);
  testing::internal::CaptureStderr();
  Said said;
  said.exit_code = action();
  said.text = testing::internal::GetCapturedStderr();
  return said;
}

TEST(ServingOnly, TrainSaysWhereTrainingIsWhateverComesWithIt) {
  for (const char* command_line : {"train", "train customers.csv", "train customers.csv --target Bought --out model",
                                   "train --models svm --set svm.C=10 - --out=model"}) {
    const Said said = say(command_line);
    EXPECT_EQ(said.exit_code, exit_usage) << command_line;
    EXPECT_THAT(said.text, HasSubstr("only serves and scores")) << command_line;
    EXPECT_THAT(said.text, HasSubstr("make build")) << command_line;
  }
}

TEST(ServingOnly, HelpSaysItToo) {
  CLI::App app;
  Action action;
  add_train(app, action);
  EXPECT_THAT(app.get_subcommand("train")->help(), HasSubstr("make build"));
}

}  // namespace
}  // namespace dropscore::app
