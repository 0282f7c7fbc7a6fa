// The options of a command that scores, and where --model leads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/cli/command.h"
#include "job/file_scorer.h"
#include "job/live_model.h"
#include "net/http_client.h"

namespace dropscore::app {

/// What --help says of --model, where the command needs no other words.
inline constexpr const char* model_help =
    "Model folder, made by `dropscore train`, or a container's URL (docs/models.md)";

struct ModelArguments {
  std::string model;
  std::uint64_t refresh_s = 10;
  std::uint64_t wait_s = 60;

  /// The options beside --model.
  void add_to(CLI::App& command);
};

/// The folder or the container's URL that --model names. Errors: `misuse` (no such address, no credential).
Result<std::unique_ptr<job::ModelSource>> open_model_source(const std::string& uri,
                                                            const std::shared_ptr<net::HttpClient>& client);

/// The model that lies there now, for a command that ends. Errors: those of job::load_model().
Result<std::shared_ptr<const model::Model>> load_model(const std::string& uri);

/// For a command that goes on. Errors: those of job::LiveModel::start(). REQUIRES: block_stop_signals() was called.
Result<std::shared_ptr<job::LiveModel>> start_model(const ModelArguments& arguments,
                                                    const std::shared_ptr<net::HttpClient>& client);

/// Each file scored by the model as it is when the file is taken, to the file's end.
job::FileScorerSource scored_by(const std::shared_ptr<job::LiveModel>& model);

/// Ends the looks for new models; ends the process where a look hangs.
void stop_or_leave(job::LiveModel& model);

}  // namespace dropscore::app
