// The dropscore program: reads the command line and runs one command.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/help_text.h"
#include "app/cli/tracing.h"
#include "app/cli/usage_error.h"
#include "base/build_info.h"
#include "base/files.h"
#include "base/log.h"
#include "base/stop.h"

namespace dropscore::app {
namespace {

constexpr const char* description =
    "dropscore: drop a CSV of customers in a folder, and predictions of who will convert lie beside it.\n"
    "\n"
    "First steps:\n"
    "  dropscore sample > customers.csv                 made-up customers to try it out\n"
    "  dropscore train customers.csv --out model        learn from labelled customers\n"
    "  dropscore score new.csv --model model            score a file\n"
    "  dropscore up --dir . --model model               drop files into input-data/, read output-results/";

/// The original's container reads MODEL_DIR and PORT; they stand in where ours are not set.
void adopt_original_environment() {
  for (const auto& [original, ours] :
       {std::pair{"MODEL_DIR", "DROPSCORE_MODEL"}, std::pair{"PORT", "DROPSCORE_PORT"}}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet
    if (const char* value = std::getenv(original)) ::setenv(ours, value, 0);
  }
}

/// CLI11 opens the file of options before it looks at variables: the one that names the file is put among the
/// arguments.
std::vector<std::string> with_config_variable(std::vector<std::string> arguments) {
  const auto names_config = [](const std::string& word) { return word == "--config" || word.starts_with("--config="); };
  const char* const file = std::getenv("DROPSCORE_CONFIG");  // NOLINT(concurrency-mt-unsafe): no thread yet
  if (file != nullptr && *file != '\0' && std::ranges::none_of(arguments, names_config))
    arguments.insert(arguments.begin(), fmt::format("--config={}", file));
  return arguments;
}

struct LogOptions {
  std::string level = "info";
  std::string format = "text";
};

int set_up_log(const LogOptions& options) {
  const Result<log::Level> level = log::parse_level(options.level);
  if (!level) return report_error(level.error());
  const Result<log::Format> format = log::parse_format(options.format);
  if (!format) return report_error(format.error());
  const telemetry::TraceSettings traces = telemetry::trace_settings(environment_variables(), build_info::version);
  log::set_up(*level, *format, traces.service());
  if (*format == log::Format::json) report_errors_in_log();
  return exit_done;
}

/// Of a command line that was not understood: said as the log options ask, as far as they can be told.
int refuse(const CLI::App& app, std::string said) {
  LogOptions usable;
  if (std::string level = given(app, "--log-level"); log::parse_level(level)) usable.level = std::move(level);
  if (std::string format = given(app, "--log-format"); log::parse_format(format)) usable.format = std::move(format);
  if (const int failed = set_up_log(usable); failed != exit_done) return failed;
  return report_error(fail(ErrorKind::misuse, std::move(said)).value());
}

int run(int argc, char** argv) {
  adopt_original_environment();
  CLI::App app(description, "dropscore");
  app.formatter(std::make_shared<HelpText>());
  app.footer(
      "Every option can also be set by an environment variable (--max-errors: DROPSCORE_MAX_ERRORS) or in a file "
      "given\n"
      "with --config. Exit codes: 0 done, 1 failed, 2 usage; 130 and 143: ended by SIGINT or SIGTERM with\n"
      "its work not done. `dropscore COMMAND --help` explains each command.");
  app.set_version_flag("--version", [] { return fmt::format("dropscore {}", build_info::summary()); });
  app.set_config("--config", "", "Read options from this file (TOML; a section for each command)")
      ->envname("DROPSCORE_CONFIG")
      ->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);  // the commands, added later, do likewise
  app.require_subcommand(1);
  app.fallthrough();
  LogOptions log_options;
  add_option(app, "--log-level", log_options.level, "Events below this level are not written")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  add_option(app, "--log-format", log_options.format, "Of events, on standard error; json: one object a line")
      ->check(CLI::IsMember({"text", "json"}));

  Action action;
  add_train(app, action);
  add_score(app, action);
  add_serve(app, action);
  add_watch(app, action);
  add_up(app, action);
  add_function(app, action);
  add_evaluate(app, action);
  add_inspect(app, action);
  add_sample(app, action);
  add_publish(app, action);
  add_completion(app, action);
  add_man(app, action);

  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    std::vector<std::string> last_first = with_config_variable(arguments);
    std::ranges::reverse(last_first);
    app.parse(std::move(last_first));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      std::ostringstream asked_for;  // help or the version; std::cout would not say why it could not be written
      const int code = app.exit(error, asked_for);
      fmt::print("{}", asked_for.str());
      return code;
    }
    return refuse(app, refusal(app, error, arguments));
  }
  if (const int failed = set_up_log(log_options); failed != exit_done) return failed;
  return action();
}

/// What was printed may still be in a buffer, and the disk full: a reader who trusts the exit code would miss it.
int flush_standard_output(int exit_code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  if (exit_code != exit_done) return exit_code;  // has been told already
  return report_error(io_error("write", "standard output", errno != 0 ? errno : EIO).value());
}

int run_to_its_end(int argc, char** argv) {
  const int exit_code = flush_standard_output(run(argc, argv));
  if (stop_requested() && exit_code == exit_signal + stop_signal()) end_by_stop_signal();
  return exit_code;
}

}  // namespace
}  // namespace dropscore::app

int main(int argc, char** argv) {
  try {
    return dropscore::app::run_to_its_end(argc, argv);
  } catch (const std::exception& error) {  // no memory, no entropy: nothing that a Result could carry
    fmt::print(stderr, "dropscore: {}\n", error.what());
    return dropscore::app::exit_failed;
  }
}
