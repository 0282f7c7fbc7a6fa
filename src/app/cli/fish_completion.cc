#include <string_view>

#include <fmt/format.h>

#include "app/cli/completion.h"

namespace dropscore::app {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

/// " -x -a 'json csv'": what follows an option. -x: nothing else; -r -F: files too.
std::string value_arguments(const OptionValue& value) {
  std::string offered = fmt::format("{}", fmt::join(value.words, " "));
  if (value.is_list) offered = fmt::format("(__fish_complete_list , \"string join \\n {}\")", offered);
  if (value.takes_folder && !value.takes_file) offered += "(__fish_complete_directories)";
  const std::string text = value.takes_file ? " -r -F" : " -x";
  // Not in_quotes(): fish takes a backslash before n within '' as it stands.
  return offered.empty() ? text : fmt::format("{} -a '{}'", text, offered);
}

std::string option_line(const OptionRow& option, const std::string& begin) {
  std::string text = begin;
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2)) : fmt::format(" -s {}", name.substr(1));
  }
  if (!option.is_flag()) text += value_arguments(option.value);
  return fmt::format("{} -d {}\n", text, in_quotes(option.help));
}

/// Words and files for a command's positionals: fish does not count them.
std::string positional_line(const OptionRow& option, const std::string& begin) {
  const std::string offered = fmt::format("{}", fmt::join(option.value.words, " "));
  if (option.value.takes_file) return begin + " -F\n";
  if (option.value.takes_folder) return begin + " -a '(__fish_complete_directories)'\n";
  return offered.empty() ? "" : fmt::format("{} -a '{}'\n", begin, offered);
}

}  // namespace

std::string fish_completion(const OptionTable& table) {
  const std::string& program = table.program.name;
  std::string text =
      fmt::format("# fish completion for {0}; made by `{0} completion fish`.\ncomplete -c {0} -f\n", program);
  for (const OptionRow& option : table.program.options) text += option_line(option, "complete -c " + program);
  for (const CommandRow& command : table.commands) {
    text += fmt::format("\ncomplete -c {} -n __fish_use_subcommand -a {} -d {}\n", program, command.name,
                        in_quotes(command.summary));
    const std::string begin = fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", program, command.name);
    for (const OptionRow& option : command.options) {
      if (option.name() == "--help") continue;  // the program's own
      text += option.is_positional ? positional_line(option, begin) : option_line(option, begin);
    }
  }
  return text;
}

}  // namespace dropscore::app
