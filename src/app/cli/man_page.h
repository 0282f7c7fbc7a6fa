// The manual page dropscore(1), in the man macros of troff (groff_man(7)), from the table of options.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/option_table.h"

namespace dropscore::app {

/// Text as troff is to print it, character by character: no request at a line's begin, no escape, no hyphen where a
/// minus is meant, so that what is copied from the page runs.
std::string troff_text(std::string_view text);

/// The whole page. It holds no date and nothing of this machine: the same program writes the same bytes everywhere.
std::string man_page(const OptionTable& table, std::string_view version);

}  // namespace dropscore::app
