#include "app/cli/usage_error.h"

#include <algorithm>
#include <string_view>
#include <vector>

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

}  // namespace

std::optional<std::string> unknown_word(const CLI::App& program) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const CLI::App* const command = chosen.empty() ? nullptr : chosen.front();
  const std::vector<std::string> left = program.remaining(true);
  const auto option = std::ranges::find_if(left, is_option);
  if (command == nullptr && !left.empty() && option != left.begin()) return unknown_command(program, left.front());
  if (option != left.end()) return unknown_option(program, command, *option);
  if (left.empty()) return std::nullopt;
  return fmt::format("'{}' is one argument too many; `{} {} --help` shows how it is called", left.front(),
                     program.get_name(), command->get_name());
}

}  // namespace dropscore::app
