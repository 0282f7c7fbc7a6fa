// The commands and their options as plain values, read from CLI11's own table: what --help, the man page and the
// completions of the shells are all made from, so that no list is kept by hand.
//
// What an option's value is stands in its type name, in the notation of a synopsis: alternatives between `|`, capitals
// for what the user fills in, all else as it is typed. FILE and DIR complete as paths; `[,...]` behind it: several,
// between commas. So "DIR|URL", "sklearn:SEED:FRACTION|none|FILE", "all|svm|logistic[,...]". Where nothing is said,
// CLI11's type stands; CLI::IsMember and CLI::Range add words and limits.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace dropscore::app {

/// What stands behind an option, or in a positional's place.
struct OptionValue {
  std::string notation;            ///< "FILE", "json|csv", "N"; empty for a flag
  std::vector<std::string> words;  ///< of the alternatives, those that are typed as they stand
  std::string range;               ///< "0 to 65535", or empty
  bool takes_file = false;
  bool takes_folder = false;
  bool is_list = false;  ///< several between commas
};

struct OptionRow {
  std::vector<std::string> names;  ///< "-h", "--help"; a positional's one name: "INPUT"
  OptionValue value;
  std::string help;
  std::string environment;    ///< variable that sets it, or empty
  std::string default_value;  ///< or empty
  bool is_positional = false;
  bool is_required = false;
  bool is_repeatable = false;

  bool is_flag() const { return value.notation.empty(); }
  /// The one that is written out: "--help".
  const std::string& name() const { return names.back(); }
  /// "required; default 8000; 0 to 65535", or empty.
  std::string notes() const;
};

struct CommandRow {
  std::string name;
  std::string summary;
  std::string footer;
  std::vector<OptionRow> options;  ///< positionals among them, in their order

  /// "dropscore score [OPTIONS] INPUT"; REQUIRES: `program` is the program's name.
  std::string synopsis(const std::string& program) const;
};

struct OptionTable {
  CommandRow program;  ///< with the options that stand before or behind any command
  std::vector<CommandRow> commands;
};

OptionRow read_option(const CLI::Option& option);
OptionTable read_options(const CLI::App& program);

}  // namespace dropscore::app
