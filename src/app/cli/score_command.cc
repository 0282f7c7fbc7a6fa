#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/model_options.h"
#include "app/cli/score_options.h"
#include "base/file_source.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/stop.h"
#include "job/scorer.h"
#include "model/model.h"

namespace dropscore::app {
namespace {

struct ScoreCommand {
  std::string input;
  std::string model;
  std::string output = "-";
  std::string format;
  ScoreArguments score;
};

/// Where the answer goes: standard output, or a file that appears whole or not at all.
class Output {
 public:
  static Result<Output> open(const std::string& name) {
    Output out;
    if (name == "-") {
      out.file_ = FileDescriptor(::dup(STDOUT_FILENO));
      return out;
    }
    out.path_ = name;
    struct stat found = {};
    const bool special = ::stat(name.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
    out.beside_ = special ? name : fmt::format("{}.{}.part", name, random_id().substr(0, 8));
    out.file_ =
        FileDescriptor(::open(out.beside_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (special ? 0 : O_EXCL), 0644));
    if (!out.file_.valid()) return io_error("create", name, errno);
    if (special) out.beside_.clear();
    return out;
  }
  Output(Output&&) = default;
  ~Output() {
    if (!beside_.empty()) ::unlink(beside_.c_str());
  }

  Status write(std::string_view bytes) {
    return write_all(file_.get(), bytes, path_.empty() ? "standard output" : path_);
  }
  bool can_take_back() const { return !beside_.empty(); }
  /// Where an error document lies that cannot stand in the answer's place. REQUIRES: can_take_back().
  std::string refusal_path() const { return path_ + ".error.json"; }
  Status take_back() {
    if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0)
      return io_error("rewrite", path_, errno);
    return {};
  }
  Status publish() {
    if (beside_.empty()) return {};
    if (::fsync(file_.get()) != 0 || ::rename(beside_.c_str(), path_.c_str()) != 0)
      return io_error("write", path_, errno);
    beside_.clear();
    return {};
  }

 private:
  Output() = default;
  FileDescriptor file_;
  std::string path_;
  std::string beside_;
};

/// Rows and rate on a terminal, twice a second; silent otherwise.
class Progress {
 public:
  void show(const job::ScoreCounts& counts) {
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(500)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    fmt::print(stderr, "\r{} rows scored, {} rejected, {:.0f} MB, {:.0f} rows/s ", counts.scored, counts.rejected,
               static_cast<double>(counts.bytes_read) / 1e6, static_cast<double>(counts.scored) / seconds);
    shown_ = true;
  }
  ~Progress() {
    if (shown_) fmt::print(stderr, "\n");
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = begin_;
};

std::string error_answer(const Error& error, const job::ScorePipeline& pipeline) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("success", false).member("error", error.customer.text);
  json.key("errors").raw(pipeline.rejections_json());
  json.end_object();
  out.push_back('\n');
  return out;
}

Status score_all(ByteSource& source, job::ScorePipeline& pipeline, Output& output) {
  Progress progress;
  const auto write = [&output](std::string_view text) -> Status {
    if (stop_requested()) return fail(ErrorKind::give_up, "stopped; nothing was written");
    return output.write(text);
  };
  return pipeline.run(source, write, [&progress](const job::ScoreCounts& counts) { progress.show(counts); });
}

/// Leaves the error document and returns what to tell. JSON takes the answer's place; beside a CSV it has one of its
/// own, since a table's name must not hold anything else.
Status refuse(Error error, job::Format format, const job::ScorePipeline& pipeline, Output& output) {
  if (format == job::Format::json) {
    if (output.can_take_back()) DROPSCORE_CHECK(output.take_back());
    DROPSCORE_CHECK(output.write(error_answer(error, pipeline)));
    DROPSCORE_CHECK(output.publish());
  } else if (output.can_take_back()) {
    DROPSCORE_CHECK(write_file_atomically(output.refusal_path(), error_answer(error, pipeline)));
    error.detail.text += fmt::format(" (the error document: {})", output.refusal_path());
  } else if (pipeline.counts().rejected > 0) {
    error.detail.text += " (--format json lists every row)";
  }
  return tl::unexpected<Error>(std::move(error));
}

Status publish(Output& output) {
  std::error_code ignored;
  if (output.can_take_back()) std::filesystem::remove(output.refusal_path(), ignored);
  return output.publish();
}

/// How the file was read, and what was left out.
void remark(const job::ScorePipeline& pipeline, bool csv) {
  const job::ScoreCounts counts = pipeline.counts();
  if (remarks_go_to_log()) {
    for (const std::string& note : pipeline.notes()) log::info("input_note", {{"note", note}});
    if (counts.rejected > 0) log::info("rows_rejected", {{"rows", counts.scored}, {"rejected", counts.rejected}});
    return;
  }
  for (const std::string& note : pipeline.notes()) fmt::print(stderr, "dropscore: note: {}\n", note);
  if (counts.rejected > 0) {
    fmt::print(stderr, "dropscore: {} rows scored, {} rejected; {} say why\n", counts.scored, counts.rejected,
               csv ? "their row_status cells" : "\"errors\"");
  }
}

/// Case is no matter: other systems write .CSV.
bool names_csv(std::string_view path) {
  constexpr std::string_view suffix = ".csv";
  return path.size() >= suffix.size() && ::strncasecmp(path.end() - suffix.size(), suffix.data(), suffix.size()) == 0;
}

Status run_score(ScoreCommand& arguments) {
  DROPSCORE_CHECK(arguments.score.finish());
  job::ScoreOptions options = arguments.score.options;
  const bool csv = arguments.format.empty() ? names_csv(arguments.output) : arguments.format == "csv";
  options.format = csv ? job::Format::csv : job::Format::json;
  DROPSCORE_TRY(const std::shared_ptr<const model::Model> model, load_model(arguments.model));
  DROPSCORE_TRY(const std::unique_ptr<ByteSource> source, open_file_source(arguments.input));
  DROPSCORE_TRY(Output output, Output::open(arguments.output));
  job::ScorePipeline pipeline = job::Scorer(model).pipeline(options);
  Status scored = score_all(*source, pipeline, output);
  if (!scored) {
    const bool about_the_file = scored.error().kind == ErrorKind::reject || scored.error().kind == ErrorKind::too_large;
    if (about_the_file) return refuse(scored.error(), options.format, pipeline, output);
    return scored;
  }
  if (options.format == job::Format::json) DROPSCORE_CHECK(output.write("\n"));
  DROPSCORE_CHECK(publish(output));
  remark(pipeline, csv);
  return {};
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ScoreCommand>();
  CLI::App& command = *app.add_subcommand("score", "Score a CSV of customers");
  command.footer(
      "Examples: dropscore score new.csv --model model --output new.scored.csv\n"
      "          cat new.csv | dropscore score - --model model --format csv > scored.csv\n"
      "Rows that cannot be scored are listed with line, column and reason; the others are scored. Exit code 0 where\n"
      "any row was scored; else 1, and a CSV's error document is OUTPUT.error.json. CSV answers keep every column and "
      "the file's own delimiter.");
  command.add_option("INPUT", arguments->input, "Customers, as CSV; - reads standard input")
      ->type_name("FILE|-")
      ->required();
  add_option(command, "--model", arguments->model, model_help)->type_name("DIR|URL")->required();
  add_option(command, "--output", arguments->output, "Answer's file; - writes to standard output")->type_name("FILE|-");
  add_option(command, "--format", arguments->format,
             "json or csv; where not given, csv for an --output that ends in .csv")
      ->check(CLI::IsMember({"json", "csv"}));
  arguments->score.add_to(command);
  command.callback([arguments, &action] {
    action = [arguments] {
      catch_stop_signals();
      const Status done = run_score(*arguments);
      return done ? exit_done : report_error(done.error());
    };
  });
}

}  // namespace dropscore::app
