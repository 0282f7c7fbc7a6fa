#include <filesystem>

#include <fmt/format.h>

#include "app/cli/serving_options.h"
#include "base/log.h"
#include "base/stop.h"
#include "model/model.h"

namespace dropscore::app {
namespace {

struct UpCommand {
  std::string directory = ".";
  std::string model;
  http::ServerOptions server;
  TriggerArguments trigger;
  ScoreArguments score;
};

Status run_up(UpCommand& arguments) {
  block_stop_signals();
  DROPSCORE_CHECK(arguments.score.finish());
  arguments.trigger.finish(arguments.score.options);
  const std::filesystem::path directory = arguments.directory;
  const std::filesystem::path model_directory =
      arguments.model.empty() ? directory / "models" : std::filesystem::path(arguments.model);
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, model::Model::load(model_directory));
  const auto scorer = [model] { return job::Scorer(model); };
  JourneyOptions& options = arguments.trigger.journey;
  options.input = directory / "input-data";
  options.output = directory / "output-results";
  DROPSCORE_TRY(const std::unique_ptr<Journey> journey,
                Journey::start(options, [scorer = job::file_scorer(scorer())] { return scorer; }));
  DROPSCORE_TRY(const std::unique_ptr<http::Server> server, http::Server::start(scorer, arguments.server));
  log::info("up", {{"input", options.input.string()},
                   {"output", options.output.string()},
                   {"host", arguments.server.host},
                   {"port", server->port()},
                   {"model_version", model->version()}});
  fmt::print(
      "dropscore is up. Drop CSV files into {}; results appear in {}.\nAPI: http://{}:{}/predict   Stop: Ctrl-C\n",
      options.input.string(), options.output.string(), arguments.server.host, server->port());
  std::fflush(stdout);
  const int signal = wait_for_stop_signal();
  log::info("stopping", {{"signal", signal}});
  server->stop();
  journey->stop();
  return {};
}

}  // namespace

void add_up(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<UpCommand>();
  CLI::App& command =
      *app.add_subcommand("up", "Everything on one machine: the folder trigger and the HTTP API in one process");
  command.footer(
      "Files dropped in DIR/input-data are scored with the model in DIR/models; results appear in DIR/output-results.\n"
      "Example: dropscore train customers.csv --out here/models && dropscore up --dir here");
  add_option(command, "--dir", arguments->directory, "Folder that holds input-data, output-results and models");
  add_option(command, "--model", arguments->model, "Model folder, where it is not DIR/models");
  add_server_options(command, arguments->server);
  arguments->trigger.add_to(command);
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      if (arguments->trigger.trigger == "queue") return report_not_built("up --trigger queue");
      const Status done = run_up(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
