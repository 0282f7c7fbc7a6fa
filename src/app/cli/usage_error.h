// What a command line that was refused should have been: CLI11 names the option that is missing first, and says nothing
// of the one that was mistyped.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace dropscore::app {

/// One sentence about the first word that the program does not know: a command, else an option, else an argument too
/// many. Empty where it knows them all. REQUIRES: `program` has parsed, and refused, its arguments.
std::optional<std::string> unknown_word(const CLI::App& program);

}  // namespace dropscore::app
