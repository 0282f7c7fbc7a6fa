#include <fmt/format.h>
#include <unistd.h>

#include "app/cli/command.h"
#include "base/files.h"
#include "job/sample.h"

namespace dropscore::app {

void add_sample(CLI::App& app, Action& action) {
  struct Arguments {
    job::SampleOptions options;
    bool unlabelled = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      *app.add_subcommand("sample", "Write made-up customers to standard output, for trying things out");
  command.footer(
      "The customers are invented, and so is what makes them convert: a model trained on them knows nothing about "
      "real\n"
      "people. Example: dropscore sample --rows 1000 --seed 7 > customers.csv");
  add_option(command, "--rows", arguments->options.rows, "How many customers");
  add_option(command, "--seed", arguments->options.seed, "The same seed gives the same customers");
  add_flag(command, "--unlabelled", arguments->unlabelled,
           "Leave out the Conversion column, as in a file to be scored");
  command.callback([arguments, &action] {
    action = [arguments] {
      arguments->options.labelled = !arguments->unlabelled;
      const Status done = job::write_sample(arguments->options, [](std::string_view piece) {
        return write_all(STDOUT_FILENO, piece, "standard output");
      });
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
