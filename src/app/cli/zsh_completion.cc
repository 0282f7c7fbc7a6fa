#include <string_view>

#include <fmt/format.h>

#include "app/cli/completion.h"

namespace dropscore::app {
namespace {

/// For a specification of _arguments or _describe in single quotes.
std::string in_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

/// The action of _arguments for a value; a space where nothing completes it.
std::string action(const OptionValue& value) {
  const std::string words = fmt::format("{}", fmt::join(value.words, " "));
  const std::string paths = value.takes_file ? "_files" : value.takes_folder ? "_files -/" : "";
  if (words.empty()) return paths.empty() ? " " : paths;
  if (value.is_list) return fmt::format("_values -s , value {}", words);
  if (paths.empty()) return fmt::format("({})", words);
  return fmt::format("{{compadd -- {}; {}}}", words, paths);
}

/// "'--port=[Port to listen on]:N: '"; an alias excludes its twin.
std::string specification(const OptionRow& option) {
  if (option.is_positional) {
    return fmt::format("'{}:{}:{}'", option.is_required ? "" : ":", in_quotes(option.name()), action(option.value));
  }
  const std::string names = fmt::format("{}", fmt::join(option.names, " "));
  std::string text;
  for (const std::string& name : option.names) {
    if (!text.empty()) text += " \\\n      ";
    const std::string behind = option.is_flag() ? "" : name.starts_with("--") ? "=" : "+";
    text += fmt::format(
        "'{}{}{}[{}]{}'", option.is_repeatable ? "*" : fmt::format("({})", names), name, behind, in_quotes(option.help),
        option.is_flag() ? "" : fmt::format(":{}:{}", in_quotes(option.value.notation), action(option.value)));
  }
  return text;
}

std::string specifications(const CommandRow& row, bool with_general) {
  std::string text;
  for (const OptionRow& option : row.options) {
    const bool general = option.name() == "--help" || option.name() == "--version";
    if (with_general || !general) text += fmt::format(" \\\n      {}", specification(option));
  }
  return text;
}

}  // namespace

std::string zsh_completion(const OptionTable& table) {
  const std::string& program = table.program.name;
  std::string commands;
  std::string cases;
  for (const CommandRow& command : table.commands) {
    commands += fmt::format("    '{}:{}'\n", in_quotes(command.name), in_quotes(command.summary));
    cases += fmt::format("    {}) _arguments{} \\\n      $general ;;\n", command.name, specifications(command, true));
  }
  return fmt::format(R"zsh(#compdef {0}
# zsh completion for {0}; made by `{0} completion zsh`.

_{0}() {{
  local context state state_descr line
  local -a commands general
  typeset -A opt_args
  commands=(
{1}  )
  general=({2}
  )
  _arguments -C '(- *)'{{-h,--help}}'[Print the help and exit]' '(- *)--version[Print the version and exit]' $general \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
{3}      esac ;;
  esac
}}

if [ "$funcstack[1]" = "_{0}" ]; then
  _{0} "$@"
else
  compdef _{0} {0}
fi
)zsh",
                     program, commands, specifications(table.program, false), cases);
}

}  // namespace dropscore::app
