#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "app/cli/operations.h"
#include "app/cli/served_keys.h"
#include "app/cli/serving_options.h"
#include "app/cli/tracing.h"
#include "app/operations/endpoints.h"
#include "app/webhook/webhook_endpoint.h"
#include "base/log.h"
#include "base/stop.h"

namespace dropscore::app {
namespace {

constexpr const char* emulator = "UseDevelopmentStorage=true";

struct UpCommand {
  std::string directory = ".";
  bool azure = false;
  ModelArguments model;
  http::ServerOptions server;
  OperationsOptions operations;
  std::uint64_t stop_delay_s = 0;
  KeyArguments keys;
  TriggerArguments trigger;
  ScoreArguments score;
};

/// Where nothing else is said: folders of --dir, or with --azure containers of the account whose connection string is
/// there, else of the emulator.
Status choose_containers(const UpCommand& arguments, JourneyOptions& options) {
  std::string base = arguments.directory;
  if (arguments.azure) {
    ::setenv("DROPSCORE_CONNECTION_STRING", emulator, 0);  // NOLINT(concurrency-mt-unsafe): no thread yet
    DROPSCORE_TRY(const std::optional<azure::ConnectionString> account,
                  azure::connection_string(azure::process_environment()));
    base = account->blob_endpoint;
  }
  if (options.input.empty()) options.input = fmt::format("{}/input-data", base);
  if (options.output.empty()) options.output = fmt::format("{}/output-results", base);
  return {};
}

/// The emulator is something that a first user has yet to start.
tl::unexpected<Error> with_hint(const UpCommand& arguments, Error error) {
  if (arguments.azure && error.kind == ErrorKind::try_later) {
    error.detail.text += "\nIs the storage emulator running? npx azurite --inMemoryPersistence --skipApiVersionCheck";
  }
  return tl::unexpected<Error>(std::move(error));
}

Status run_up(UpCommand& arguments) {
  block_stop_signals();
  const Tracing tracing;
  DROPSCORE_TRY(const std::unique_ptr<ServedKeys> keys, ServedKeys::open(arguments.keys, arguments.server));
  DROPSCORE_CHECK(arguments.score.finish());
  arguments.trigger.finish(arguments.score.options);
  if (arguments.model.model.empty()) arguments.model.model = fmt::format("{}/models", arguments.directory);
  arguments.server.threads = side_by_side(arguments.server.threads);
  const auto health = std::make_shared<operations::Health>(true);
  DROPSCORE_TRY(const std::unique_ptr<http::Server> operations, start_operations(arguments.operations, health));
  JourneyOptions& options = arguments.trigger.journey;
  DROPSCORE_CHECK(choose_containers(arguments, options));
  const auto client = std::make_shared<net::HttpClient>();
  DROPSCORE_TRY(const std::shared_ptr<job::LiveModel> model, start_model(arguments.model, client));
  Result<std::unique_ptr<Journey>> opened = Journey::open(options, scored_by(model), client);
  if (!opened) return with_hint(arguments, opened.error());
  const std::unique_ptr<Journey> journey = *std::move(opened);
  const JourneyChecks checks(*health, *journey);
  std::vector<http::Endpoint> endpoints = operations::operations_endpoints(health);
  if (journey->notify()) {
    const Container& container = journey->input();
    endpoints.push_back(
        webhook::webhook_endpoint({container.account->name, container.store->container()}, journey->notify()));
  }
  DROPSCORE_TRY(const std::unique_ptr<http::Server> server,
                http::Server::start([model] { return model->scorer(); }, arguments.server, std::move(endpoints)));
  journey->begin();  // no file is touched where the port was taken
  health->started();
  const std::string input = shown(options.input);
  const std::string output = shown(options.output);
  log::info("up", {{"input", input},
                   {"output", output},
                   {"host", arguments.server.host},
                   {"port", server->port()},
                   {"api_keys", keys->count()},
                   {"model_version", model->scorer().model_version()}});
  warn_if_open(*server);
  fmt::print(
      "dropscore is up. Drop CSV files into {}; results appear in {}.\nAPI: http://{}:{}/predict   Stop: Ctrl-C\n",
      input, output, arguments.server.host, server->port());
  std::fflush(stdout);
  const int signal = wait_for_stop_signal([&model] { model->look_now(); });
  log::info("stopping", {{"signal", signal}});
  begin_drain(*health, arguments.stop_delay_s);
  const bool answered_all = server->stop();  // before the journey, which its webhook tells of blobs
  stop_or_leave(*journey);
  if (!answered_all) leave(exit_done);  // a call of the webhook is still under way, and uses the journey
  stop_or_leave(*model);
  return {};
}

}  // namespace

void add_up(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<UpCommand>();
  CLI::App& command =
      *app.add_subcommand("up", "Everything in one process: the trigger, on folders or on Azure, and the HTTP API");
  command.footer(
      "Files dropped in DIR/input-data are scored with the model in DIR/models; results appear in DIR/output-results.\n"
      "Example: dropscore train customers.csv --out here/models && dropscore up --dir here\n"
      "\n"
      "--azure takes the containers input-data and output-results of the storage account whose connection string is "
      "in\n"
      "DROPSCORE_CONNECTION_STRING (or AZURE_STORAGE_CONNECTION_STRING, AzureWebJobsStorage); without one, of the\n"
      "emulator on this machine (npx azurite). --input and --output name others. Then POST /events also takes Event\n"
      "Grid's webhook, unless a --queue is named.\n"
      "Example: npx azurite --inMemoryPersistence --skipApiVersionCheck & dropscore up --azure --model model");
  add_option(command, "--dir", arguments->directory, "Folder that holds input-data, output-results and models")
      ->type_name("DIR");
  add_flag(command, "--azure", arguments->azure, "Containers of a storage account, or of its emulator, not folders");
  add_option(command, "--input", arguments->trigger.journey.input, "Folder or container URL, where it is another")
      ->type_name("DIR|URL");
  add_option(command, "--output", arguments->trigger.journey.output, "Folder or container URL, where it is another")
      ->type_name("DIR|URL");
  add_option(command, "--model", arguments->model.model,
             "Model folder, or a container's URL, where it is not DIR/models")
      ->type_name("DIR|URL");
  arguments->model.add_to(command);
  add_server_options(command, arguments->server);
  arguments->keys.add_to(command);
  arguments->operations.add_to(command);
  add_stop_delay(command, arguments->stop_delay_s);
  arguments->trigger.add_to(command);
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      const Status done = run_up(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
