#include "app/cli/command.h"

#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "base/log.h"
#include "base/stop.h"

namespace dropscore::app {
namespace {

bool errors_go_to_log = false;

int exit_code_of(ErrorKind kind) {
  if (kind == ErrorKind::give_up && stop_requested()) return exit_signal + stop_signal();
  switch (kind) {
    case ErrorKind::misuse: return exit_usage;
    case ErrorKind::reject:
    case ErrorKind::too_large:
    case ErrorKind::not_found:
    case ErrorKind::changed:
    case ErrorKind::try_later:
    case ErrorKind::give_up: return exit_failed;
  }
  return exit_failed;
}

}  // namespace

CLI::Validator count() {
  const auto refusal = [](const std::string& text) -> std::string {
    if (text.find('-') != std::string::npos) return fmt::format("{} is negative; a number from 0 on is wanted", text);
    errno = 0;
    std::strtoull(text.c_str(), nullptr, 0);
    return errno == ERANGE ? fmt::format("{} is too great a number", text) : std::string();
  };
  return {refusal, "", "count"};
}

void report_errors_in_log() { errors_go_to_log = true; }

bool remarks_go_to_log() { return errors_go_to_log; }

int report_error(const Error& error) {
  const int code = exit_code_of(error.kind);
  if (errors_go_to_log) {
    log::error("failed", {{"error", error.detail.text}, {"exit_code", code}});
  } else {
    fmt::print(stderr, "dropscore: {}\n", error.detail.text);
  }
  return code;
}

}  // namespace dropscore::app
