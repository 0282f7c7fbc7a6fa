#include "app/cli/usage_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Optional;

/// Of a program as ours is: commands with an option, a positional, and options of all commands.
std::optional<std::string> said_about(const std::string& arguments) {
  CLI::App app("does it", "tool");
  app.require_subcommand(1);
  app.fallthrough();
  std::string text;
  app.add_option("--log-level", text, "Level");
  CLI::App& serve = *app.add_subcommand("serve", "Serves");
  serve.add_option("--model", text, "Model")->required();
  CLI::App& score = *app.add_subcommand("score", "Scores");
  score.add_option("INPUT", text, "File")->required();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError&) {
    return unknown_word(app);
  }
  ADD_FAILURE() << arguments << " is not refused";
  return {};
}

TEST(UnknownWord, ACommand) {
  EXPECT_THAT(said_about("serv"),
              Optional(std::string("unknown command 'serv'; did you mean 'serve'? `tool --help` lists them all")));
  EXPECT_THAT(said_about("predict --model m"),
              Optional(std::string("unknown command 'predict'; `tool --help` lists them")));
}

TEST(UnknownWord, AnOptionThoughCliFirstMissesAnother) {
  const std::string model = "unknown option '--modle'; did you mean '--model'? `tool serve --help` lists them all";
  EXPECT_THAT(said_about("serve --modle m"), Optional(model));
  EXPECT_THAT(said_about("serve --modle=m"), Optional(model));  // its value may be private
  EXPECT_THAT(
      said_about("serve --model m --log-levle info"),
      Optional(std::string("unknown option '--log-levle'; did you mean '--log-level'? `tool serve --help` lists "
                           "them all")));
  EXPECT_THAT(said_about("--verison"), Optional(std::string("unknown option '--verison'; `tool --help` lists them")));
}

TEST(UnknownWord, ABeginningOrWhatIsNearest) {
  EXPECT_THAT(said_about("serve --mod m"), Optional(HasSubstr("did you mean '--model'?")));
  EXPECT_THAT(said_about("serve --log m"), Optional(HasSubstr("did you mean '--log-level'?")));
  EXPECT_THAT(said_about("sevre"), Optional(HasSubstr("did you mean 'serve'?")));
  EXPECT_THAT(said_about("serve -x"), Optional(Not(HasSubstr("did you mean"))));
  EXPECT_THAT(said_about("serve --=x"), Optional(HasSubstr("unknown option '--'; `tool serve --help` lists")));
  EXPECT_THAT(said_about("x"), Optional(Not(HasSubstr("did you mean"))));
}

TEST(UnknownWord, AnArgumentTooMany) {
  EXPECT_THAT(said_about("score a.csv b.csv"),
              Optional(std::string("'b.csv' is one argument too many; `tool score --help` shows how it is called")));
}

TEST(UnknownWord, WhatOtherProgramsUnderstand) {
  EXPECT_THAT(said_about("help serve"),
              Optional(std::string("'help' is not known here; did you mean `tool serve --help`?")));
  EXPECT_THAT(said_about("help"), Optional(HasSubstr("did you mean `tool --help`?")));
  EXPECT_THAT(said_about("-v"), Optional(HasSubstr("did you mean `tool --version`?")));
  EXPECT_THAT(said_about("serve --model m -v"), Optional(HasSubstr("unknown option '-v'")));
}

TEST(UnknownWord, NoneWhereSomethingIsMissing) {
  EXPECT_EQ(said_about("serve"), std::nullopt);
  EXPECT_EQ(said_about(""), std::nullopt);
}

}  // namespace
}  // namespace dropscore::app
