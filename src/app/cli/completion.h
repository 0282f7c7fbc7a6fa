// Completion scripts for the shells, from the table of options. A script holds all it needs: pressing TAB does not
// start the program.
#pragma once

#include <string>

#include "app/cli/option_table.h"

namespace dropscore::app {

std::string bash_completion(const OptionTable& table);
std::string zsh_completion(const OptionTable& table);
std::string fish_completion(const OptionTable& table);

}  // namespace dropscore::app
