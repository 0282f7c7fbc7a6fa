#include "app/cli/help_text.h"

#include <string_view>

#include <fmt/format.h>

#include "app/cli/option_table.h"

namespace dropscore::app {
namespace {

constexpr std::size_t text_column = 30;
constexpr std::size_t last_column = 116;

/// Words in lines that begin at `text_column`.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = text_column;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > text_column && column + 1 + word.size() > last_column) {
      out += fmt::format("\n{:{}}", "", text_column);
      column = text_column;
    } else if (column > text_column) {
      out.push_back(' ');
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string HelpText::make_option(const CLI::Option* option, bool /*is_positional*/) const {
  const OptionRow row = read_option(*option);
  std::string left = fmt::format("  {}", fmt::join(row.names, ", "));
  if (!row.is_flag()) left += fmt::format(" {}", row.value.notation);
  std::string notes = row.notes();
  if (!row.environment.empty()) notes += fmt::format("{}env {}", notes.empty() ? "" : "; ", row.environment);
  const std::string text = wrapped(notes.empty() ? row.help : fmt::format("{} ({})", row.help, notes));
  if (left.size() < text_column) return fmt::format("{:<{}}{}\n", left, text_column, text);
  return fmt::format("{}\n{:{}}{}\n", left, "", text_column, text);
}

}  // namespace dropscore::app
