#include <fmt/format.h>

#include "app/cli/container.h"
#include "app/cli/model_options.h"
#include "base/stop.h"
#include "job/publish_job.h"
#include "model/model.h"
#include "store/azure_store.h"

namespace dropscore::app {
namespace {

struct PublishCommand {
  std::string model;
  std::string to;
};

Status run_publish(const PublishCommand& arguments) {
  if (!azure::is_resource_url(arguments.to)) {
    return fail(ErrorKind::misuse,
                "publish writes to a container, named by its URL; into a folder that programs read "
                "models from, `dropscore train --out` writes at once");
  }
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, load_model(arguments.model));
  const auto client = std::make_shared<net::HttpClient>();
  DROPSCORE_TRY(const azure::PathUrl url, azure::parse_path_url(arguments.to));
  if (!url.path.empty()) DROPSCORE_CHECK(store::validate_name(url.path));
  DROPSCORE_TRY(const azure::Account account,
                azure::resolve_account(url.container, azure::process_environment(), client));
  DROPSCORE_TRY(const std::unique_ptr<store::BlobStore> store,
                store::open_azure_store(account, url.container.name, client));
  DROPSCORE_CHECK(store::make_container(account, url.container.name, client));
  DROPSCORE_TRY(const job::Published published, job::publish_model(*store, url.path, *model));
  const std::string where = shown(arguments.to);
  if (published.before == published.version) {
    fmt::print("model {} is published at {} already\n", published.version, where);
  } else if (published.before.empty()) {
    fmt::print("model {} published at {}\n", published.version, where);
  } else {
    fmt::print("model {} published at {}, in place of {}\n", published.version, where, published.before);
  }
  return {};
}

}  // namespace

void add_publish(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<PublishCommand>();
  CLI::App& command = *app.add_subcommand(
      "publish", "Put a model where running programs look for it: a container of Azure Blob Storage");
  command.footer(
      "Programs started with --model URL take it up within --model-refresh-s, without a restart. Every version is "
      "kept\n"
      "under URL/versions/VERSION, so that going back is publishing an old one again.\n"
      "Examples: dropscore publish model https://acct.blob.core.windows.net/models/current\n"
      "          dropscore publish https://acct.blob.core.windows.net/models/current/versions/0c6e9f3b1d22 \\\n"
      "              https://acct.blob.core.windows.net/models/current\n"
      "Credentials as for `watch`; the right to write is needed.");
  command.add_option("MODEL", arguments->model, "Model folder, or the URL of a container with a model")
      ->type_name("DIR|URL")
      ->required();
  command.add_option("URL", arguments->to, "Container, or a prefix in it")->type_name("URL")->required();
  command.callback([arguments, &action] {
    action = [arguments] {
      block_stop_signals();
      const StopEndsProgram impatience;  // each of the two writes takes effect whole, or not at all
      const Status done = run_publish(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
