// The options of scoring that several commands have.
#pragma once

#include "app/cli/command.h"
#include "job/score_stream.h"

namespace dropscore::app {

struct ScoreArguments {
  std::string precision = "auto";
  job::ScoreOptions options;

  void add_to(CLI::App& command) {
    add_option(command, "--precision", precision,
               "auto: single precision where the model allows it; double: always double")
        ->check(CLI::IsMember({"auto", "double"}));
    add_option(command, "--max-errors", options.max_errors,
               "Bad rows listed one by one; the others are counted by reason");
    add_option(command, "--max-row-bytes", options.max_row_bytes, "A longer row is refused, the others are scored");
    add_option(command, "--threads", options.threads, "Threads that score one file; 0: one for each processor")
        ->check(CLI::Range(0U, limits::max_threads));
  }

  Status finish() {
    options.precision =
        precision == "double" ? job::PrecisionChoice::double_precision : job::PrecisionChoice::automatic;
    return options.validate();
  }
};

}  // namespace dropscore::app
