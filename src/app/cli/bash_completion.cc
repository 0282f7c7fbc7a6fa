#include <map>
#include <vector>

#include <fmt/format.h>

#include "app/cli/completion.h"

namespace dropscore::app {
namespace {

/// Bash splits a line at = and : too, so that --model=x comes as three words and a URL as several: what stands behind
/// such a word goes on with the one before it. @...@ is filled in from the table.
constexpr const char* script_template = R"bash(# bash completion for @program@; made by `@program@ completion bash`.

# Whether an option, as command:option, takes a value.
_@program@_takes_value() {
  case $1 in
@takes_value@
  esac
  return 1
}

# Completes the value of command:option, or command:N for its Nth positional.
_@program@_value() {
  case $1 in
@values@
  esac
}

_@program@_options() {
  case $1 in
@options@
  esac
}

_@program@_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

# Several between commas: what stands before the last comma stays.
_@program@_list() {
  local before=
  [[ $current != *,* ]] || before=${current%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${current##*,}")
  compopt -o nospace
}

# Paths beside the words that are there already.
_@program@_paths() {
  local found
  mapfile -t found < <(compgen "$1" -- "$current")
  COMPREPLY+=("${found[@]}")
  compopt -o filenames
}

_@program@() {
  local current=${COMP_WORDS[COMP_CWORD]} command= pending= joined= word i positionals=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == [=:]* ]]; then
      joined=1
    elif [[ -n $pending || -n $joined ]]; then
      pending= joined=
    elif [[ $word == -?* ]]; then
      ! _@program@_takes_value "$command:$word" || pending=$word
    elif [[ -z $command ]]; then
      command=$word
    else
      positionals=$((positionals + 1))
    fi
  done
  [[ $current != = ]] || current=
  if [[ -n $pending ]]; then
    _@program@_value "$command:$pending"
  elif [[ -n $joined ]]; then
    return
  elif [[ $current == -* ]]; then
    _@program@_words "$(_@program@_options "$command")"
  elif [[ -z $command ]]; then
    _@program@_words "@commands@"
  else
    _@program@_value "$command:$((positionals + 1))"
  fi
}

complete -F _@program@ @program@
)bash";

std::string filled_in(std::string text, const std::map<std::string, std::string>& parts) {
  for (const auto& [name, part] : parts) {
    const std::string place = fmt::format("@{}@", name);
    for (std::size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + part.size())) {
      text.replace(at, place.size(), part);
    }
  }
  return text;
}

/// What completes a value; empty: nothing does.
std::string completer(const OptionValue& value, const std::string& program) {
  std::vector<std::string> calls;
  if (!value.words.empty()) {
    calls.push_back(fmt::format("_{}_{} '{}'", program, value.is_list ? "list" : "words", fmt::join(value.words, " ")));
  }
  if (value.takes_file || value.takes_folder) {
    calls.push_back(fmt::format("_{}_paths {}", program, value.takes_file ? "-f" : "-d"));
  }
  return fmt::format("{}", fmt::join(calls, "; "));
}

struct Cases {
  std::map<std::string, std::vector<std::string>> values;  ///< completer -> where it is used
  std::vector<std::string> takes_value;

  /// `command`: a pattern of case; the program's own options stand with any command.
  void add(const CommandRow& row, const std::string& command, const std::string& program) {
    std::size_t positionals = 0;
    for (const OptionRow& option : row.options) {
      if (option.is_flag()) continue;
      const std::string call = completer(option.value, program);
      const std::vector<std::string> names =
          option.is_positional ? std::vector{fmt::format("{}", ++positionals)} : option.names;
      for (const std::string& name : names) {
        const std::string place = fmt::format("{}:{}", command, name);
        if (!option.is_positional) takes_value.push_back(place);
        if (!call.empty()) values[call].push_back(place);
      }
    }
  }
};

std::string option_words(const CommandRow& row) {
  std::string words;
  for (const OptionRow& option : row.options) {
    if (!option.is_positional) words += fmt::format(" {}", fmt::join(option.names, " "));
  }
  return words;
}

}  // namespace

std::string bash_completion(const OptionTable& table) {
  const std::string& program = table.program.name;
  Cases cases;
  cases.add(table.program, "*", program);
  std::string commands;
  std::string options;
  for (const CommandRow& command : table.commands) {
    cases.add(command, command.name, program);
    commands += (commands.empty() ? "" : " ") + command.name;
    std::string words = option_words(command);
    for (const OptionRow& option : table.program.options) {
      if (option.name() != "--help" && option.name() != "--version") words += " " + option.name();
    }
    options += fmt::format("    {}) echo '{}' ;;\n", command.name, words.substr(1));
  }
  options += fmt::format("    *) echo '{}' ;;", option_words(table.program).substr(1));
  std::string values;
  for (const auto& [call, places] : cases.values) {
    values += fmt::format("{}    {}) {} ;;", values.empty() ? "" : "\n", fmt::join(places, " | "), call);
  }
  return filled_in(script_template,
                   {{"program", program},
                    {"takes_value", fmt::format("    {}) return 0 ;;", fmt::join(cases.takes_value, " | "))},
                    {"values", values},
                    {"options", options},
                    {"commands", commands}});
}

}  // namespace dropscore::app
