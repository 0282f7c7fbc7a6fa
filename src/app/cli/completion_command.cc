#include <fmt/format.h>
#include <unistd.h>

#include "app/cli/command.h"
#include "app/cli/completion.h"
#include "app/cli/man_page.h"
#include "base/build_info.h"
#include "base/files.h"

namespace dropscore::app {
namespace {

int print(std::string_view text) {
  const Status done = write_all(STDOUT_FILENO, text, "standard output");
  return done ? exit_done : report_error(done.error());
}

}  // namespace

void add_completion(CLI::App& app, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App& command =
      *app.add_subcommand("completion", "Print a script that completes commands and options in a shell");
  command.footer(
      "For this shell:      source <(dropscore completion bash)\n"
      "For all, bash:       dropscore completion bash > ~/.local/share/bash-completion/completions/dropscore\n"
      "         zsh:        dropscore completion zsh > _dropscore, in a folder of $fpath\n"
      "         fish:       dropscore completion fish > ~/.config/fish/completions/dropscore.fish\n"
      "The Debian package brings all three.");
  command.add_option("SHELL", *shell, "The shell")->check(CLI::IsMember({"bash", "zsh", "fish"}))->required();
  command.callback([shell, &app, &action] {
    action = [shell, &app] {
      const OptionTable table = read_options(app);
      if (*shell == "bash") return print(bash_completion(table));
      return print(*shell == "zsh" ? zsh_completion(table) : fish_completion(table));
    };
  });
}

void add_man(CLI::App& app, Action& action) {
  CLI::App& command = *app.add_subcommand("man", "Print the manual page, for man -l");
  command.footer("Example: dropscore man > dropscore.1 && man -l dropscore.1");
  command.callback(
      [&app, &action] { action = [&app] { return print(man_page(read_options(app), build_info::version)); }; });
}

}  // namespace dropscore::app
