#include "app/cli/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/completion.h"
#include "app/cli/man_page.h"

namespace dropscore::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A program of one command with every kind of option.
class SmallProgram : public testing::Test {
 protected:
  SmallProgram() {
    CLI::App& command = *app_.add_subcommand("do", "Do it");
    add(command, "--port", number_)->check(CLI::Range(0, 65535))->capture_default_str()->envname("DO_PORT");
    add(command, "--format", text_)->check(CLI::IsMember({"json", "csv"}));
    add(command, "--holdout", text_)->type_name("sklearn:SEED|none|FILE");
    add(command, "--models", text_)->type_name("all|svm[,...]");
    add(command, "--model", text_)->type_name("DIR|URL")->required();
    add(command, "--set", texts_);
    command.add_flag("-f,--force", flag_, "Don't \\ask: [why]");
    add(command, "INPUT", text_)->type_name("FILE|-")->required();
  }

  template <class T>
  static CLI::Option* add(CLI::App& command, const std::string& name, T& value) {
    return command.add_option(name, value, "Help");
  }

  OptionRow row(const std::string& name) {
    const OptionTable table = read_options(app_);
    for (const OptionRow& option : table.commands.at(0).options) {
      if (option.name() == name) return option;
    }
    ADD_FAILURE() << name << " is not in the table";
    return {};
  }

  CLI::App app_{"tool: does it.", "tool"};
  std::uint16_t number_ = 8000;
  std::string text_;
  std::vector<std::string> texts_;
  bool flag_ = false;
};

TEST_F(SmallProgram, ANumbersRangeDefaultAndVariable) {
  const OptionRow port = row("--port");
  EXPECT_EQ(port.value.notation, "N");
  EXPECT_EQ(port.value.range, "0 to 65535");
  EXPECT_EQ(port.environment, "DO_PORT");
  EXPECT_EQ(port.notes(), "default 8000; 0 to 65535");
  EXPECT_FALSE(port.is_repeatable);
}

TEST_F(SmallProgram, TheWordsOfASetAreItsNotation) {
  EXPECT_EQ(row("--format").value.notation, "json|csv");
  EXPECT_THAT(row("--format").value.words, ElementsAre("json", "csv"));
}

TEST_F(SmallProgram, OfANotationOnlyWhatIsTypedAsItStandsIsAWord) {
  const OptionValue holdout = row("--holdout").value;
  EXPECT_EQ(holdout.notation, "sklearn:SEED|none|FILE");
  EXPECT_THAT(holdout.words, ElementsAre("none"));
  EXPECT_TRUE(holdout.takes_file);
  EXPECT_FALSE(holdout.takes_folder);
}

TEST_F(SmallProgram, ListsFoldersFlagsAndPositionals) {
  EXPECT_TRUE(row("--models").value.is_list);
  EXPECT_THAT(row("--models").value.words, ElementsAre("all", "svm"));
  EXPECT_TRUE(row("--model").value.takes_folder);
  EXPECT_EQ(row("--model").notes(), "required");
  EXPECT_TRUE(row("--set").is_repeatable);
  EXPECT_TRUE(row("--force").is_flag());
  EXPECT_THAT(row("--force").names, ElementsAre("-f", "--force"));
  EXPECT_THAT(row("INPUT").value.words, IsEmpty());
  EXPECT_TRUE(row("INPUT").value.takes_file);
  EXPECT_EQ(read_options(app_).commands.at(0).synopsis("tool"), "tool do [OPTIONS] INPUT");
}

TEST_F(SmallProgram, TheSamePageEveryTime) {
  const std::string page = man_page(read_options(app_), "1.2.3");
  EXPECT_EQ(page, man_page(read_options(app_), "1.2.3"));
  EXPECT_THAT(page, HasSubstr(".TH DROPSCORE 1 \"\" \"tool 1.2.3\""));
  EXPECT_THAT(
      page,
      HasSubstr("\\fB\\-\\-port\\fR \\fIN\\fR\nHelp.\n.br\n(default 8000; 0 to 65535)\n.br\nEnvironment: DO_PORT\n"));
}

TEST_F(SmallProgram, HelpThatAShellWouldTakeForItsOwn) {
  const OptionTable table = read_options(app_);
  EXPECT_THAT(zsh_completion(table), HasSubstr("--force[Don'\\''t \\\\ask\\: \\[why\\]]'"));
  EXPECT_THAT(fish_completion(table), HasSubstr(" -s f -l force -d 'Don\\'t \\\\ask: [why]'\n"));
  EXPECT_THAT(bash_completion(table), Not(HasSubstr("why")));
  EXPECT_THAT(bash_completion(table), HasSubstr("do:--model) _tool_paths -d ;;"));
}

TEST(TroffText, NothingIsTakenForARequestOrAnEscape) {
  EXPECT_EQ(troff_text(".hidden and ~/.file\n.TH"), "\\&.hidden and \\(ti/.file\n\\&.TH");
  EXPECT_EQ(troff_text("'quoted' a\\b `c` --x ^"), "\\(aqquoted\\(aq a\\eb \\(gac\\(ga \\-\\-x \\(ha");
}

}  // namespace
}  // namespace dropscore::app
