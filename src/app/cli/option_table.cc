#include "app/cli/option_table.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace dropscore::app {
namespace {

constexpr std::string_view list_mark = "[,...]";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_typed_as_it_stands(std::string_view alternative) {
  return !alternative.empty() && alternative.front() != '-' &&
         std::none_of(alternative.begin(), alternative.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

void read_alternatives(OptionValue& value) {
  std::string_view text = value.notation;
  value.is_list = text.ends_with(list_mark);
  if (value.is_list) text.remove_suffix(list_mark.size());
  for (std::string& alternative : split(text, '|')) {
    value.takes_file |= alternative == "FILE";
    value.takes_folder |= alternative == "DIR";
    if (is_typed_as_it_stands(alternative)) value.words.push_back(std::move(alternative));
  }
}

/// CLI11 writes "TYPE:{a,b}" for IsMember and "TYPE:INT in [1 - 9]" for Range.
OptionValue read_value(std::string_view type) {
  OptionValue value;
  std::string_view notation = type;
  if (const std::size_t brace = type.rfind(":{"); type.ends_with('}') && brace != std::string_view::npos) {
    notation = type.substr(0, brace);
    const std::string_view words = type.substr(brace + 2, type.size() - brace - 3);
    value.notation = fmt::format("{}", fmt::join(split(words, ','), "|"));
  } else if (const std::size_t limits = type.rfind(" in ["); type.ends_with(']') && limits != std::string_view::npos) {
    notation = type.substr(0, type.rfind(':', limits));
    const std::string_view between = type.substr(limits + 5, type.size() - limits - 6);
    const std::size_t dash = between.find(" - ");
    value.range = fmt::format("{} to {}", between.substr(0, dash), between.substr(dash + 3));
  }
  if (notation == "UINT" || notation == "INT") notation = "N";
  if (notation == "FLOAT") notation = "NUMBER";
  if (value.notation.empty()) value.notation = notation;
  read_alternatives(value);
  return value;
}

CommandRow read_command(const CLI::App& app) {
  CommandRow row;
  row.name = app.get_name();
  row.summary = app.get_description();
  row.footer = app.get_footer();
  for (const CLI::Option* const option : app.get_options()) row.options.push_back(read_option(*option));
  return row;
}

}  // namespace

std::string OptionRow::notes() const {
  std::vector<std::string> notes;
  if (is_required) notes.emplace_back("required");
  if (is_repeatable) notes.emplace_back("repeatable");
  if (!default_value.empty()) notes.push_back(fmt::format("default {}", default_value));
  if (!value.range.empty()) notes.push_back(value.range);
  return fmt::format("{}", fmt::join(notes, "; "));
}

std::string CommandRow::synopsis(const std::string& program) const {
  std::string text = fmt::format("{} {} [OPTIONS]", program, name);
  for (const OptionRow& option : options) {
    if (option.is_positional) text += option.is_required ? " " + option.name() : fmt::format(" [{}]", option.name());
  }
  return text;
}

OptionRow read_option(const CLI::Option& option) {
  OptionRow row;
  row.is_positional = option.get_positional();
  if (row.is_positional) {
    row.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  }
  const bool has_value = option.get_items_expected_max() > 0;
  if (has_value) row.value = read_value(option.get_type_name());
  row.help = option.get_description();
  row.environment = option.get_envname();
  if (has_value && option.get_default_str() != "[]") row.default_value = option.get_default_str();
  row.is_required = option.get_required();
  row.is_repeatable = has_value && !row.value.is_list && option.get_items_expected_max() > 1;
  return row;
}

OptionTable read_options(const CLI::App& program) {
  OptionTable table;
  table.program = read_command(program);
  for (const CLI::App* const command : program.get_subcommands([](const CLI::App*) { return true; })) {
    table.commands.push_back(read_command(*command));
    if (table.commands.back().footer == table.program.footer) table.commands.back().footer.clear();  // handed down
  }
  return table;
}

}  // namespace dropscore::app
