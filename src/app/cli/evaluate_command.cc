#include <fmt/format.h>

#include "app/cli/model_options.h"
#include "app/cli/writable_folder.h"
#include "base/file_source.h"
#include "base/files.h"
#include "base/stop.h"
#include "job/evaluate_job.h"
#include "model/model.h"

namespace dropscore::app {
namespace {

struct EvaluateCommand {
  std::string data;
  std::string model;
  std::string report;
  std::uint32_t seed = 42;
};

Status run_evaluate(const EvaluateCommand& arguments) {
  DROPSCORE_TRY(const TriedFolder report_folder, TriedFolder::make_for_file(arguments.report));
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, load_model(arguments.model));
  DROPSCORE_TRY(const std::unique_ptr<ByteSource> data, open_file_source(arguments.data));
  DROPSCORE_TRY(const job::EvaluateReport report, job::evaluate(*data, *model, arguments.seed));
  if (!arguments.report.empty()) DROPSCORE_CHECK(write_file_atomically(arguments.report, report.json));
  fmt::print("{}", report.text);
  return {};
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<EvaluateCommand>();
  CLI::App& command = *app.add_subcommand("evaluate", "Judge a saved model on labelled customers that it has not seen");
  command.footer("Example: dropscore evaluate this-month.csv --model model --report figures.json");
  command.add_option("DATA", arguments->data, "Labelled customers, as CSV; - reads standard input")
      ->type_name("FILE|-")
      ->required();
  add_option(command, "--model", arguments->model, model_help)->type_name("DIR|URL")->required();
  add_option(command, "--report", arguments->report, "Write the figures to this JSON file")->type_name("FILE");
  add_option(command, "--seed", arguments->seed, "For the bootstrap of the intervals");
  command.callback([arguments, &action] {
    action = [arguments] {
      catch_stop_signals();
      const Status done = run_evaluate(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
