#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "app/cli/model_options.h"
#include "app/cli/score_options.h"
#include "app/cli/tracing.h"
#include "app/function/azure_stores.h"
#include "app/function/handler.h"
#include "app/http/server.h"
#include "base/log.h"
#include "base/stop.h"
#include "job/api_scorer.h"

namespace dropscore::app {
namespace {

struct FunctionCommand {
  std::uint16_t port = 0;
  ModelArguments model;
  job::ApiOptions api;
  std::string output = "auto";
  std::string connection = "AzureWebJobsStorage";
  std::string output_container = "output-results";
  function::HandlerOptions handler;
  ScoreArguments score;
};

/// Where host.json lies: the host says so, and starts us there.
std::filesystem::path app_root() {
  const char* const told = std::getenv("FUNCTIONS_APP_ROOT_PATH");  // NOLINT(concurrency-mt-unsafe): no thread yet
  return told == nullptr ? std::filesystem::path(".") : std::filesystem::path(told);
}

/// A packaged function brings authorities' certificates, for a system that has none.
void find_certificates() {
  std::error_code failed;
  if (std::filesystem::exists("/etc/ssl/certs/ca-certificates.crt", failed)) return;
  const std::filesystem::path packaged = app_root() / "ca-certificates.crt";
  if (!std::filesystem::exists(packaged, failed)) return;
  ::setenv("SSL_CERT_FILE", packaged.c_str(), 0);  // NOLINT(concurrency-mt-unsafe): no thread yet
}

/// `model` stays empty where files are scored through an API.
Result<job::FileScorerSource> make_scorer(FunctionCommand& arguments, const std::shared_ptr<net::HttpClient>& client,
                                          std::shared_ptr<job::LiveModel>& model) {
  if (!arguments.api.url.empty()) {
    DROPSCORE_TRY(std::shared_ptr<const job::FileScorer> scorer, job::api_scorer(arguments.api, client));
    return job::FileScorerSource([scorer = std::move(scorer)] { return scorer; });
  }
  if (arguments.model.model.empty()) arguments.model.model = (app_root() / "model").string();
  DROPSCORE_TRY(model, start_model(arguments.model, client));
  return scored_by(model);
}

/// Empty where there is no store, or none is wanted.
Result<function::OpenStores> make_stores(FunctionCommand& arguments, std::shared_ptr<net::HttpClient> client) {
  DROPSCORE_TRY(const std::optional<azure::Account> account,
                function::connected_account(arguments.connection, azure::process_environment(), client));
  if (!account && arguments.output == "store") {
    return fail(ErrorKind::misuse,
                fmt::format("--function-output store needs the setting {}, {}__accountName or {}__blobServiceUri",
                            arguments.connection, arguments.connection, arguments.connection));
  }
  const bool by_store = account && arguments.output != "binding";
  arguments.handler.output = by_store ? function::Output::store : function::Output::binding;
  log::info("results", {{"go_by", by_store ? "store" : "binding"},
                        {"account", account ? account->name : std::string("none")},
                        {"credential", account ? account->credential->kind() : "none"}});
  if (!account) return function::OpenStores();
  return function::azure_stores(*account, arguments.output_container, std::move(client));
}

Status run_function(FunctionCommand& arguments) {
  block_stop_signals();
  find_certificates();
  log::keep_standard_error_for_errors();
  const Tracing tracing;
  DROPSCORE_CHECK(arguments.score.finish());
  arguments.handler.score = arguments.score.options;
  DROPSCORE_CHECK(arguments.handler.validate());
  const auto client = std::make_shared<net::HttpClient>();
  DROPSCORE_TRY(function::OpenStores stores, make_stores(arguments, client));
  std::shared_ptr<job::LiveModel> model;
  DROPSCORE_TRY(job::FileScorerSource scorer, make_scorer(arguments, client, model));
  const auto handler =
      std::make_shared<const function::Handler>(arguments.handler, std::move(scorer), std::move(stores));
  http::ServerOptions options;
  options.port = arguments.port;
  options.max_buffered_body_bytes = 512 * limits::mib;
  options.keep_alive_timeout_ms = 600'000;  // the host keeps idle connections for a minute or two, and is to end them
  DROPSCORE_TRY(const std::unique_ptr<http::Server> server,
                http::Server::start({}, options, function::function_endpoints(handler)));
  log::info("function_ready", {{"port", server->port()},
                               {"function", arguments.handler.function},
                               {"scores_by", arguments.api.url.empty() ? "model" : "api"}});
  const int signal = wait_for_stop_signal();
  log::info("stopping", {{"signal", signal}});
  client->hurry();
  if (!server->stop()) leave(exit_done);  // an invocation still runs: nothing may be destroyed under it
  if (model) stop_or_leave(*model);
  return {};
}

}  // namespace

void add_function(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<FunctionCommand>();
  CLI::App& command = *app.add_subcommand("function", "Be an Azure Function: the custom handler of a function app");
  command.footer(
      "Started by the Functions host, as deploy/function/host.json says; docs/azure-function.md explains settings and\n"
      "errors. A blob that the host has seen is scored, by the model of --model or by POST {API_ENDPOINT}/predict, "
      "and\n"
      "the result goes to the output container: by a store of our own where the app's settings name an account, or\n"
      "else as the content of the output binding.\n"
      "By hand: FUNCTIONS_CUSTOMHANDLER_PORT=7071 dropscore function --model model\n"
      "         curl -H 'Content-Type: application/json' -d '{\"Data\":{\"inputBlob\":\"'$(base64 -w0 new.csv)'\"},\n"
      "              \"Metadata\":{\"name\":\"\\\"new.csv\\\"\"}}' "
      "http://127.0.0.1:7071/BlobTriggerConversionPrediction");
  command.add_option("--port", arguments->port, "Port of 127.0.0.1 to listen on; 0 picks a free one")
      ->envname("FUNCTIONS_CUSTOMHANDLER_PORT")
      ->check(CLI::Range(0, 65535))
      ->required();
  add_option(command, "--model", arguments->model.model,
             "Model folder, or a container's URL; default: `model` beside host.json")
      ->type_name("DIR|URL");
  arguments->model.add_to(command);
  command.add_option("--api", arguments->api.url, "Score by POST URL/predict instead, each call within 120 s")
      ->type_name("URL")
      ->envname("API_ENDPOINT");
  command
      .add_option("--api-key", arguments->api.key,
                  "Key that the API asks for, of several the first; better given by DROPSCORE_API_KEY")
      ->type_name("KEY")
      ->envname(environment_name("--api-key"));
  add_option(command, "--function-output", arguments->output,
             "store: read blobs and write results ourselves; binding: leave both to the host; auto: store where the "
             "settings name an account")
      ->check(CLI::IsMember({"auto", "store", "binding"}));
  add_option(command, "--connection", arguments->connection,
             "The setting that names the account, as `connection` in function.json")
      ->type_name("NAME");
  add_option(command, "--input-container", arguments->handler.input_container,
             "Container of a blob that the host tells only by its name")
      ->type_name("NAME");
  add_option(command, "--output-container", arguments->output_container, "Container of the results")->type_name("NAME");
  add_option(command, "--function-name", arguments->handler.function, "The folder of function.json")->type_name("NAME");
  add_option(command, "--input-binding", arguments->handler.input_binding, "The trigger's name in function.json")
      ->type_name("NAME");
  add_option(command, "--output-binding", arguments->handler.output_binding,
             "The output binding's name in function.json")
      ->type_name("NAME");
  add_option(command, "--max-payload-bytes", arguments->handler.max_payload_bytes,
             "With the binding: a longer blob is not scored from what the host sent, but through the store");
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      const Status done = run_function(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
