#include "app/cli/usage_error.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "app/cli/option_table.h"
#include "base/nearest_name.h"

namespace dropscore::app {
namespace {

constexpr std::string_view dashes = "--";
constexpr std::size_t shortest_beginning = 3;  // of a word: fewer letters begin too many

/// One that begins with what was typed, else the one that is most like it.
std::string meant(std::string_view typed, const std::vector<std::string>& names) {
  const auto begins = [typed](const std::string& name) { return name.starts_with(typed); };
  if (typed.size() >= shortest_beginning) {
    if (const auto found = std::ranges::find_if(names, begins); found != names.end()) return *found;
  }
  return nearest_name(typed, names);
}

bool is_option(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

std::string or_rather(const std::string& word, const std::string& list) {
  if (word.empty()) return fmt::format("; `{} --help` lists them", list);
  return fmt::format("; did you mean '{}'? `{} --help` lists them all", word, list);
}

/// Without their dashes: those say nothing of how alike two are.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : app.get_options()) {
    const OptionRow row = read_option(*option);
    if (!row.is_positional && row.name().starts_with(dashes)) names.push_back(row.name().substr(dashes.size()));
  }
  return names;
}

std::string unknown_command(const CLI::App& program, const std::string& word) {
  std::vector<std::string> names;
  for (const CommandRow& command : read_options(program).commands) names.push_back(command.name);
  return fmt::format("unknown command '{}'{}", word, or_rather(meant(word, names), program.get_name()));
}

std::string unknown_option(const CLI::App& program, const CLI::App* command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names = option_names(program);
  std::string list = program.get_name();
  if (command != nullptr) {
    list += " " + command->get_name();
    const std::vector<std::string> own = option_names(*command);
    names.insert(names.begin(), own.begin(), own.end());
  }
  const std::string_view letters = std::string_view(name).substr(std::min(name.find_first_not_of('-'), name.size()));
  std::string nearest = meant(letters, names);
  if (!nearest.empty()) nearest.insert(0, dashes);
  return fmt::format("unknown option '{}'{}", name, or_rather(nearest, list));
}

std::string variable(const std::string& name) {
  const char* const value =
      name.empty() ? nullptr : std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): no thread yet
  return value == nullptr ? std::string() : value;
}

const CLI::App* chosen_command(const CLI::App& program) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

/// What other programs understand, and what that is here.
std::optional<std::string> customary_word(const CLI::App* command, const std::string& word) {
  if (word == "help") return command == nullptr ? "--help" : command->get_name() + " --help";
  const bool asks_version = word == "version" || word == "-v" || word == "-V";
  if (command == nullptr && asks_version) return "--version";
  return std::nullopt;
}

/// The option that CLI11's words about a value begin with, or name behind "Could not convert: ".
const CLI::Option* blamed(const CLI::App& program, const CLI::ParseError& error) {
  const int code = error.get_exit_code();
  const bool about_value = code == static_cast<int>(CLI::ExitCodes::ValidationError) ||
                           code == static_cast<int>(CLI::ExitCodes::ConversionError);
  if (!about_value) return nullptr;
  const std::string_view said = error.what();
  const std::size_t begin = said.find(dashes);
  if (begin == std::string_view::npos) return nullptr;
  const std::string name(said.substr(begin, said.find_first_of(": ", begin) - begin));
  for (const CLI::App* const app : {chosen_command(program), &program}) {
    if (app == nullptr) continue;
    if (const CLI::Option* const option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

/// "DROPSCORE_PORT: " or "--config: " where a value stands there, and not among the arguments; else empty.
std::string source_of(const CLI::Option& option, const std::vector<std::string>& arguments) {
  const auto is_it = [name = option.get_name()](const std::string& argument) {
    return argument == name || argument.starts_with(name + "=");
  };
  if (std::ranges::any_of(arguments, is_it) || option.count() == 0) return {};
  if (option.results().front() != variable(option.get_envname())) return "--config: ";
  return option.get_envname() + ": ";
}

}  // namespace

std::string given(const CLI::App& program, const std::string& option) {
  const CLI::Option& asked = *program.get_option(option);
  return asked.count() > 0 ? asked.results().back() : variable(asked.get_envname());
}

std::string refusal(const CLI::App& program, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  const int code = error.get_exit_code();
  const std::string said = error.what();
  if (code == static_cast<int>(CLI::ExitCodes::ConfigError)) {
    return fmt::format(  // CLI11: "INI was not able to parse serve.prot"
        "--config: not understood: {}. A section [COMMAND] holds that command's options, named as `{} COMMAND --help` "
        "does; options of all commands stand above the first section",
        said.substr(said.rfind(' ') + 1), program.get_name());
  }
  const bool may_be_mistyped =
      code == static_cast<int>(CLI::ExitCodes::RequiredError) || code == static_cast<int>(CLI::ExitCodes::ExtrasError);
  if (may_be_mistyped) {
    if (const std::optional<std::string> unknown = unknown_word(program)) return *unknown;
  }
  const CLI::App* const command = chosen_command(program);
  if (command == nullptr && code == static_cast<int>(CLI::ExitCodes::RequiredError))
    return fmt::format("which command? `{} --help` lists them", program.get_name());
  std::string source;
  if (code == static_cast<int>(CLI::ExitCodes::FileError)) source = "--config: ";
  if (const CLI::Option* const option = blamed(program, error)) source = source_of(*option, arguments);
  const std::string whose = command == nullptr ? "" : " " + command->get_name();
  return fmt::format("{}{}; `{}{} --help` explains it", source, said, program.get_name(), whose);
}

std::optional<std::string> unknown_word(const CLI::App& program) {
  const CLI::App* const command = chosen_command(program);
  const std::vector<std::string> left = program.remaining(true);
  if (!left.empty()) {
    if (const std::optional<std::string> meant_here = customary_word(command, left.front())) {
      return fmt::format("'{}' is not known here; did you mean `{} {}`?", left.front(), program.get_name(),
                         *meant_here);
    }
  }
  const auto option = std::ranges::find_if(left, is_option);
  if (command == nullptr && !left.empty() && option != left.begin()) return unknown_command(program, left.front());
  if (option != left.end()) return unknown_option(program, command, *option);
  if (left.empty()) return std::nullopt;
  return fmt::format("'{}' is one argument too many; `{} {} --help` shows how it is called", left.front(),
                     program.get_name(), command->get_name());
}

}  // namespace dropscore::app
