// What a command line that was refused should have been: CLI11 names the option that is missing first, and says nothing
// of the one that was mistyped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace dropscore::app {

/// One sentence about the first word that the program does not know: a command, else an option, else an argument too
/// many. Empty where it knows them all. REQUIRES: `program` has parsed, and refused, its arguments.
std::optional<std::string> unknown_word(const CLI::App& program);

/// One sentence about what `program` refused in `arguments`, in the environment or in the file of options, and whose
/// --help explains it. REQUIRES: as above; `error` is no call for help.
std::string refusal(const CLI::App& program, const CLI::ParseError& error, const std::vector<std::string>& arguments);

/// What an option of all commands was given, in a command line that was refused: by what was read of the arguments,
/// else by the environment; empty: nothing.
std::string given(const CLI::App& program, const std::string& option);

}  // namespace dropscore::app
