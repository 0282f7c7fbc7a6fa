#include <fmt/format.h>

#include "app/cli/serving_options.h"
#include "base/log.h"
#include "base/stop.h"
#include "model/model.h"

namespace dropscore::app {
namespace {

struct WatchCommand {
  std::string input;
  std::string output;
  std::string model;
  std::string api;
  TriggerArguments trigger;
  ScoreArguments score;
};

bool is_remote(const std::string& uri) { return uri.find("://") != std::string::npos; }

Status run_watch(WatchCommand& arguments) {
  block_stop_signals();
  if (arguments.model.empty()) return fail(ErrorKind::misuse, "watch needs --model MODEL_DIR");
  DROPSCORE_CHECK(arguments.score.finish());
  arguments.trigger.finish(arguments.score.options);
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, model::Model::load(arguments.model));
  JourneyOptions& options = arguments.trigger.journey;
  options.input = arguments.input;
  options.output = arguments.output;
  DROPSCORE_TRY(const std::unique_ptr<Journey> journey,
                Journey::start(options, [scorer = job::file_scorer(job::Scorer(model))] { return scorer; }));
  log::info("watching",
            {{"input", arguments.input}, {"output", arguments.output}, {"model_version", model->version()}});
  const int signal = wait_for_stop_signal();
  log::info("stopping", {{"signal", signal}});
  journey->stop();
  return {};
}

}  // namespace

void add_watch(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<WatchCommand>();
  CLI::App& command =
      *app.add_subcommand("watch", "Score every file that is dropped in a folder; results go to another");
  command.footer(
      "A file is taken once its writer has closed it or renamed it into place. Names that start with . or ~ or end in\n"
      ".tmp or .part are ignored. The result of input/a.csv is output/a.csv.json.\n"
      "Example: dropscore watch --input input-data --output output-results --model model");
  add_option(command, "--input", arguments->input, "Folder to watch")->required();
  add_option(command, "--output", arguments->output, "Folder for the results")->required();
  add_option(command, "--model", arguments->model, "Model folder, made by `dropscore train`");
  add_option(command, "--api", arguments->api, "Score through a running API instead (not built yet)");
  arguments->trigger.add_to(command);
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      if (!arguments->api.empty()) return report_not_built("watch --api");
      if (is_remote(arguments->input) || is_remote(arguments->output))
        return report_not_built("watch on a remote container");
      if (arguments->trigger.trigger == "queue") return report_not_built("watch --trigger queue");
      const Status done = run_watch(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
