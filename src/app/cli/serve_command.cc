#include <fmt/format.h>

#include "app/cli/operations.h"
#include "app/cli/served_keys.h"
#include "app/cli/serving_options.h"
#include "app/cli/tracing.h"
#include "app/operations/endpoints.h"
#include "base/log.h"
#include "base/stop.h"

namespace dropscore::app {
namespace {

struct ServeCommand {
  ModelArguments model;
  http::ServerOptions server;
  OperationsOptions operations;
  std::uint64_t stop_delay_s = 0;
  KeyArguments keys;
};

Status run_serve(ServeCommand& arguments) {
  block_stop_signals();
  const Tracing tracing;
  DROPSCORE_TRY(const std::unique_ptr<ServedKeys> keys, ServedKeys::open(arguments.keys, arguments.server));
  arguments.server.threads = side_by_side(arguments.server.threads);
  const auto health = std::make_shared<operations::Health>(true);
  DROPSCORE_TRY(const std::unique_ptr<http::Server> operations, start_operations(arguments.operations, health));
  const auto client = std::make_shared<net::HttpClient>();
  DROPSCORE_TRY(const std::shared_ptr<job::LiveModel> model, start_model(arguments.model, client));
  DROPSCORE_TRY(const std::unique_ptr<http::Server> server,
                http::Server::start([model] { return model->scorer(); }, arguments.server,
                                    operations::operations_endpoints(health)));
  health->started();
  log::info("serving", {{"host", arguments.server.host},
                        {"port", server->port()},
                        {"api_keys", keys->count()},
                        {"model_version", model->scorer().model_version()}});
  warn_if_open(*server);
  const int signal = wait_for_stop_signal([&model] { model->look_now(); });
  log::info("stopping", {{"signal", signal}});
  begin_drain(*health, arguments.stop_delay_s);
  if (!server->stop()) leave(exit_done);  // a scrape is still being answered
  stop_or_leave(*model);
  return {};
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ServeCommand>();
  CLI::App& command = *app.add_subcommand("serve", "Answer GET /health and POST /predict over HTTP");
  command.footer(
      "POST /predict takes one customer as JSON, a list of them, {\"csv_data\": \"...\"}, or text/csv.\n"
      "Example: dropscore serve --model model --port 8000\n"
      "         curl -H 'Content-Type: text/csv' --data-binary @new.csv http://127.0.0.1:8000/predict\n"
      "MODEL_DIR and PORT stand in for --model and --port. A model that is published later is taken up without a "
      "restart;\n"
      "SIGHUP has it looked for at once.\n"
      "\n"
      "Beyond this machine (--host 0.0.0.0) clients must send a key:\n"
      "Example: DROPSCORE_API_KEY=$(openssl rand -hex 24) dropscore serve --model model --host 0.0.0.0\n"
      "         curl -H \"X-API-Key: $DROPSCORE_API_KEY\" ... ; GET /health needs none.");
  add_option(command, "--model", arguments->model.model, model_help)->type_name("DIR|URL")->required();
  arguments->model.add_to(command);
  add_server_options(command, arguments->server);
  arguments->keys.add_to(command);
  arguments->operations.add_to(command);
  add_stop_delay(command, arguments->stop_delay_s);
  command.callback([arguments, &action] {
    action = [arguments] {
      const Status done = run_serve(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
