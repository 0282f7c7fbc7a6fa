#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "app/cli/command.h"

#ifdef DROPSCORE_TRAINING
#include "app/cli/writable_folder.h"
#include "base/file_source.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/processors.h"
#include "base/stop.h"
#include "job/model_source.h"
#include "job/train_job.h"
#endif

namespace dropscore::app {

#ifdef DROPSCORE_TRAINING
namespace {

struct TrainArguments {
  std::string data;
  std::string out;
  std::string report;
  std::string models = "all";
  std::string search = "quick";
  std::string select = "log_loss";
  std::vector<std::string> settings;
  std::string calibration = "auto";
  std::string unknown = "reject";
  job::TrainOptions options;
};

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) parts.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

Status finish_options(TrainArguments& arguments) {
  job::TrainOptions& options = arguments.options;
  options.models = split_commas(arguments.models);
  for (const std::string& setting : arguments.settings) DROPSCORE_CHECK(job::add_setting(options, setting));
  DROPSCORE_TRY(options.calibration, job::parse_calibration(arguments.calibration));
  DROPSCORE_TRY(options.effort, job::parse_search(arguments.search));
  DROPSCORE_TRY(options.select, job::parse_select(arguments.select));
  DROPSCORE_TRY(const job::ThresholdRule threshold, job::parse_threshold(options.threshold));
  static_cast<void>(threshold);
  options.threads = threads_or_processors(options.threads);
  options.unknown = arguments.unknown == "code" ? schema::UnknownRule::code : schema::UnknownRule::reject;
  return {};
}

/// One line that is written over and over, with a guess at the time left.
std::function<void(std::string_view, double)> show_progress(std::chrono::steady_clock::time_point begin) {
  return [begin](std::string_view step, double done) {
    const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const std::string left = done < 0.05 ? "" : fmt::format(", about {:.0f} s left", passed * (1 - done) / done);
    fmt::print(stderr, "\r\x1b[K{:3.0f} % {}{}", 100 * done, step, left);
  };
}

Status move_into(const std::filesystem::path& folder, const std::filesystem::path& staged, std::string_view name) {
  std::error_code failed;
  std::filesystem::rename(staged / name, folder / name, failed);
  if (failed) return io_error("replace", folder / name, failed.value());
  return {};
}

/// The document and its card, neither unless both could be written. A program that reads the folder meanwhile finds the
/// old document or the new one, whole.
Status write_model(const std::filesystem::path& folder, const job::Trained& trained) {
  const std::filesystem::path staged = folder / fmt::format(".{}.tmp", random_id());
  Status done = trained.model->save(staged);
  if (done) done = write_file_atomically(staged / card_name, job::to_card(trained.report, *trained.model));
  if (done) done = move_into(folder, staged, card_name);
  if (done) done = move_into(folder, staged, job::model_document_name);
  if (done) done = sync_folder(folder);
  std::error_code ignored;
  std::filesystem::remove_all(staged, ignored);
  return done;
}

Status run_train(TrainArguments& arguments) {
  DROPSCORE_CHECK(finish_options(arguments));
  const job::TrainOptions& options = arguments.options;
  DROPSCORE_TRY(const TriedFolder model_folder, TriedFolder::make(arguments.out));
  DROPSCORE_TRY(const TriedFolder report_folder, TriedFolder::make_for_file(arguments.report));
  DROPSCORE_TRY(const std::unique_ptr<ByteSource> data, open_file_source(arguments.data));
  DROPSCORE_TRY(const job::Holdout holdout, job::parse_holdout(options.holdout));
  std::unique_ptr<ByteSource> holdout_file;
  if (const auto* file = std::get_if<job::FileHoldout>(&holdout)) {
    DROPSCORE_TRY(holdout_file, open_file_source(file->path));
  }
  job::TrainHooks hooks;
  hooks.stop_requested = stop_requested;
  if (::isatty(STDERR_FILENO) == 1) {
    hooks.progress = show_progress(std::chrono::steady_clock::now());
  }
  Result<job::Trained> tried = job::train(*data, holdout_file.get(), options, hooks);
  if (::isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\x1b[K");
  if (!tried) return pass_on(std::move(tried));
  const job::Trained& trained = *tried;
  DROPSCORE_CHECK(write_model(arguments.out, trained));
  if (!arguments.report.empty()) DROPSCORE_CHECK(write_file_atomically(arguments.report, job::to_json(trained.report)));
  fmt::print("{}\nmodel {} written to {}\n", job::to_text(trained.report), trained.model->version(), arguments.out);
  return {};
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<TrainArguments>();
  job::TrainOptions& options = arguments->options;
  CLI::App& command = *app.add_subcommand("train", "Learn from a CSV of labelled customers and write a model folder");
  command.footer(
      "Example: dropscore train customers.csv --target Conversion --out model --report report.json\n"
      "The original system's model: --models svm --set svm.kernel=rbf --set svm.C=10 --set svm.gamma=0.01\n"
      "                             --calibration original --threshold sign");
  command.add_option("DATA", arguments->data, "Labelled customers, as CSV; - reads standard input")
      ->type_name("FILE|-")
      ->required();
  add_option(command, "--out", arguments->out, "Folder for the model; made where it is missing")
      ->type_name("DIR")
      ->required();
  add_option(command, "--target", options.target, "The column to predict: 0/1, yes/no or true/false")
      ->type_name("COLUMN");
  add_option(command, "--models", arguments->models, "Which models to try")
      ->type_name("all|additive|boosted|forest|svm|logistic|constant[,...]");
  command.add_option("--set", arguments->settings, "Fix a parameter, as svm.C=10")
      ->type_name("MODEL.PARAM=VALUE")
      ->envname("DROPSCORE_SET");
  add_option(command, "--search", arguments->search,
             "For parameters that --set does not fix; original: the SVM's 32-point grid by F1")
      ->check(CLI::IsMember({"quick", "full", "original"}));
  add_option(command, "--select", arguments->select, "The best model is best at this, cross-validated")
      ->check(CLI::IsMember({"log_loss", "auc", "mcc", "f1", "accuracy", "brier"}));
  add_option(command, "--calibration", arguments->calibration,
             "Decision value to probability; auto: the best of none, platt, isotonic; original: as scikit-learn's SVC")
      ->check(CLI::IsMember({"auto", "none", "platt", "isotonic", "original"}));
  add_option(command, "--threshold", options.threshold, "Who counts as converting: the threshold that is best at this")
      ->type_name("mcc|f1|accuracy|recall>=X|NUMBER|profit:value=V,cost=C|sign");
  add_option(command, "--holdout", options.holdout, "Rows kept out to judge by")
      ->type_name("sklearn:SEED:FRACTION|none|FILE");
  add_option(command, "--drop", options.drop, "Columns to leave out")->type_name("COLUMN[,...]")->delimiter(',');
  add_option(command, "--keep", options.keep, "Columns to keep although constant or identifiers")
      ->type_name("COLUMN[,...]")
      ->delimiter(',');
  add_option(command, "--unknown", arguments->unknown, "A category that training never saw: reject the row, or code it")
      ->check(CLI::IsMember({"reject", "code"}));
  add_option(command, "--report", arguments->report,
             "Write the figures to this JSON file (docs/formats/train-report.md)")
      ->type_name("FILE");
  add_option(command, "--seed", options.seed, "For everything drawn by chance");
  options.threads = 0;
  add_option(command, "--threads", options.threads, "Threads to use; 0: one for each processor. The model is the same")
      ->check(CLI::Range(0U, limits::max_threads));
  command.callback([arguments, &action] {
    action = [arguments] {
      catch_stop_signals();
      const Status done = run_train(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

#else

namespace {

constexpr const char* how_to_train =
    "To train, use the full build: `make build` in the sources leaves it as build/release/dropscore (CMake:\n"
    "-DDROPSCORE_TRAINING=ON, the default). The model folder that it writes is for this build as well.";

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App& command = *app.add_subcommand("train", "Not in this build, which only serves and scores")
                           ->allow_extras()
                           ->fallthrough(false);
  command.footer(how_to_train);
  command.callback([&action] {
    action = [] {
      return report_error(
          fail(ErrorKind::misuse, fmt::format("this build only serves and scores. {}", how_to_train)).value());
    };
  });
}

#endif

}  // namespace dropscore::app
