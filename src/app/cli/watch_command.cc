#include "app/cli/operations.h"
#include "app/cli/serving_options.h"
#include "app/cli/tracing.h"
#include "base/log.h"
#include "base/stop.h"
#include "job/api_scorer.h"

namespace dropscore::app {
namespace {

struct WatchCommand {
  ModelArguments model;
  job::ApiOptions api;
  std::uint64_t api_timeout_s = 120;
  OperationsOptions operations;
  TriggerArguments trigger;
  ScoreArguments score;
};

/// `model` stays empty where files are scored through an API.
Result<FileScorerSource> scorer_of(WatchCommand& arguments, const std::shared_ptr<net::HttpClient>& client,
                                   std::shared_ptr<job::LiveModel>& model) {
  if (arguments.model.model.empty() == arguments.api.url.empty()) {
    return fail(ErrorKind::misuse, "watch needs either --model MODEL_DIR or --api URL");
  }
  if (arguments.api.url.empty()) {
    DROPSCORE_TRY(model, start_model(arguments.model, client));
    return scored_by(model);
  }
  arguments.api.timeout = std::chrono::seconds(arguments.api_timeout_s);
  DROPSCORE_TRY(std::shared_ptr<const job::FileScorer> scorer, job::api_scorer(arguments.api, client));
  return FileScorerSource([scorer = std::move(scorer)] { return scorer; });
}

Status run_watch(WatchCommand& arguments) {
  block_stop_signals();
  const Tracing tracing;
  DROPSCORE_CHECK(arguments.score.finish());
  arguments.trigger.finish(arguments.score.options);
  const auto health = std::make_shared<operations::Health>(arguments.api.url.empty());
  DROPSCORE_TRY(const std::unique_ptr<http::Server> operations, start_operations(arguments.operations, health));
  const auto client = std::make_shared<net::HttpClient>();
  std::shared_ptr<job::LiveModel> model;
  DROPSCORE_TRY(const FileScorerSource scorer, scorer_of(arguments, client, model));
  const JourneyOptions& options = arguments.trigger.journey;
  DROPSCORE_TRY(const std::unique_ptr<Journey> journey, Journey::open(options, scorer, client));
  journey->begin();
  const JourneyChecks checks(*health, *journey);
  health->started();
  log::info("watching", {{"input", shown(options.input)}, {"output", shown(options.output)}});
  std::function<void()> reload;
  if (model) reload = [&model] { model->look_now(); };
  const int signal = wait_for_stop_signal(reload);
  log::info("stopping", {{"signal", signal}});
  begin_drain(*health, 0);
  stop_or_leave(*journey);
  if (model) stop_or_leave(*model);
  return {};
}

}  // namespace

void add_watch(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<WatchCommand>();
  CLI::App& command =
      *app.add_subcommand("watch", "Score every file that is dropped in a folder or an Azure container");
  command.footer(
      "The result of input/a.csv is output/a.csv.json.\n"
      "\n"
      "A folder: a file is taken once its writer has closed it or renamed it into place. Names that start with . or ~\n"
      "or end in .tmp or .part are ignored.\n"
      "Example: dropscore watch --input input-data --output output-results --model model\n"
      "\n"
      "A container of Azure Blob Storage, or of its emulator, by its URL. Credentials come from a SAS in the URL, "
      "from\n"
      "DROPSCORE_CONNECTION_STRING (or AZURE_STORAGE_CONNECTION_STRING, AzureWebJobsStorage), or from the managed\n"
      "identity that runs it. With --queue, Event Grid's messages there tell of new blobs and any number of workers\n"
      "share them; without, the container is listed again and again.\n"
      "Example: dropscore watch --input https://acct.blob.core.windows.net/input-data \\\n"
      "      --output https://acct.blob.core.windows.net/output-results --queue scoring --model model");
  JourneyOptions& journey = arguments->trigger.journey;
  add_option(command, "--input", journey.input, "Folder or container URL to watch")->type_name("DIR|URL")->required();
  add_option(command, "--output", journey.output, "Folder or container URL for the results")
      ->type_name("DIR|URL")
      ->required();
  add_option(command, "--model", arguments->model.model, model_help)->type_name("DIR|URL");
  arguments->model.add_to(command);
  add_option(command, "--api", arguments->api.url, "Score through POST URL/predict of a running API instead")
      ->type_name("URL");
  add_option(command, "--api-timeout-s", arguments->api_timeout_s, "Time for one file through the API")
      ->check(CLI::Range(1, 86'400));
  command
      .add_option("--api-key", arguments->api.key,
                  "Key that the API asks for, of several the first; better given by DROPSCORE_API_KEY")
      ->type_name("KEY")
      ->envname(environment_name("--api-key"));
  arguments->operations.add_to(command);
  arguments->trigger.add_to(command);
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      const Status done = run_watch(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
