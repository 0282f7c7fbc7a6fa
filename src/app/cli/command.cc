#include "app/cli/command.h"

#include <fmt/format.h>

namespace dropscore::app {

int report_error(const Error& error) {
  fmt::print(stderr, "dropscore: {}\n", error.detail.text);
  switch (error.kind) {
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

}  // namespace dropscore::app
