// How --help shows options: by the same table as the man page, wrapped for a terminal.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace dropscore::app {

class HelpText : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
};

}  // namespace dropscore::app
