#include "app/cli/model_options.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "app/cli/container.h"
#include "app/cli/tracing.h"
#include "base/stop.h"
#include "model/model.h"
#include "store/azure_store.h"

namespace dropscore::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A look at a file costs two microseconds, so it need not wait as long as a request to a service.
constexpr milliseconds folder_interval{1000};

/// A look is done again anyway; a read that has begun may take as long as it keeps moving.
store::AzureStoreOptions look_options() {
  store::AzureStoreOptions options;
  options.retry.max_tries = 2;
  options.retry.budget = seconds(10);
  return options;
}

Result<std::unique_ptr<job::ModelSource>> open_remote_source(const std::string& uri,
                                                             const std::shared_ptr<net::HttpClient>& client) {
  DROPSCORE_TRY(const azure::PathUrl url, azure::parse_path_url(uri));
  if (!url.path.empty()) DROPSCORE_CHECK(store::validate_name(url.path));
  DROPSCORE_TRY(const azure::Account account,
                azure::resolve_account(url.container, azure::process_environment(), client));
  DROPSCORE_TRY(std::shared_ptr<store::BlobStore> store,
                store::open_azure_store(account, url.container.name, client, look_options()));
  std::string where =
      url.container.endpoint + "/" + url.container.name + "/" + job::below(url.path, job::model_document_name);
  return job::stored_models(std::move(store), url.path, std::move(where));
}

}  // namespace

void ModelArguments::add_to(CLI::App& command) {
  add_option(command, "--model-refresh-s", refresh_s,
             "Pause between looks for a new version of the model in a container; a folder is looked at each second. 0: "
             "never, but on SIGHUP")
      ->check(CLI::Range(0, 86'400));
  add_option(command, "--model-wait-s", wait_s,
             "At the start, a container without a model, or that cannot be reached, is waited for this long")
      ->check(CLI::Range(0, 86'400));
}

Result<std::unique_ptr<job::ModelSource>> open_model_source(const std::string& uri,
                                                            const std::shared_ptr<net::HttpClient>& client) {
  if (azure::is_resource_url(uri)) return open_remote_source(uri, client);
  return job::folder_models(uri);
}

Result<std::shared_ptr<const model::Model>> load_model(const std::string& uri) {
  if (!azure::is_resource_url(uri)) return model::Model::load(uri);
  DROPSCORE_TRY(const std::unique_ptr<job::ModelSource> source,
                open_model_source(uri, std::make_shared<net::HttpClient>()));
  return job::load_model(*source);
}

Result<std::shared_ptr<job::LiveModel>> start_model(const ModelArguments& arguments,
                                                    const std::shared_ptr<net::HttpClient>& client) {
  const bool remote = azure::is_resource_url(arguments.model);
  DROPSCORE_TRY(std::unique_ptr<job::ModelSource> source, open_model_source(arguments.model, client));
  job::LiveModelOptions options;
  options.interval = seconds(arguments.refresh_s);
  if (!remote) options.interval = std::min(options.interval, folder_interval);
  if (remote) options.wait_at_start = seconds(arguments.wait_s);
  const StopEndsProgram impatience;
  Result<std::shared_ptr<job::LiveModel>> model = job::LiveModel::start(std::move(source), options);
  if (!model && remote && model.error().kind == ErrorKind::try_later) {
    model.error().detail.text +=
        "\nIs the address of the model's container right, and may this program read there? --model-wait-s waits longer";
  }
  return model;
}

job::FileScorerSource scored_by(const std::shared_ptr<job::LiveModel>& model) {
  return [model] { return job::file_scorer(model->scorer()); };
}

void stop_or_leave(job::LiveModel& model) {
  if (!model.stop_within(seconds(2))) leave(exit_done);
}

}  // namespace dropscore::app
