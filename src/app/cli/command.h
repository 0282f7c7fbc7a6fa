// What the commands share: options that can also come from the environment and a configuration file, logging set-up,
// and the translation of an Error into an exit code.
#pragma once

#include <cctype>
#include <concepts>
#include <functional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace dropscore::app {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_signal = 128;  ///< and the number of the signal that stopped the command

/// The model card's file in a model folder.
inline constexpr const char* card_name = "MODEL_CARD.md";

/// What a chosen command does; returns the exit code.
using Action = std::function<int()>;

/// "--max-errors" -> "DROPSCORE_MAX_ERRORS".
inline std::string environment_name(std::string_view option) {
  std::string name = "DROPSCORE_";
  for (const char c : option.substr(option.find_first_not_of('-'))) {
    name.push_back(c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return name;
}

/// For --help silent, as every count has it. The parser itself takes -1 for the greatest number there is, and what is
/// greater for that as well.
CLI::Validator count();

/// Adds `--name VALUE`, also taken from DROPSCORE_NAME and the configuration file; --help shows the default.
template <class T>
CLI::Option* add_option(CLI::App& command, const std::string& name, T& value, const std::string& help) {
  CLI::Option* const option = command.add_option(name, value, help);
  if constexpr (std::unsigned_integral<T>) option->check(count());
  return option->envname(environment_name(name))->capture_default_str();
}

inline CLI::Option* add_flag(CLI::App& command, const std::string& name, bool& value, const std::string& help) {
  return command.add_flag(name, value, help)->envname(environment_name(name));
}

/// Prints "dropscore: <text>" to standard error; the exit code that the error's kind asks for, or the signal where one
/// stopped the command.
int report_error(const Error& error);
/// From now on it is a line of the log instead, for those who read JSON. Once, before threads start.
void report_errors_in_log();
/// Whether that was asked for: a command's remarks are events then, too.
bool remarks_go_to_log();

// One function for each command: adds it to `app`; when it is chosen, parsing sets `action`.
void add_train(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_watch(CLI::App& app, Action& action);
void add_up(CLI::App& app, Action& action);
void add_function(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_sample(CLI::App& app, Action& action);
void add_publish(CLI::App& app, Action& action);
/// These two read the table of options that `app` is, once it is whole.
void add_completion(CLI::App& app, Action& action);
void add_man(CLI::App& app, Action& action);

}  // namespace dropscore::app
