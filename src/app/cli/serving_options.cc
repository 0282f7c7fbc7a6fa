#include "app/cli/serving_options.h"

#include <algorithm>
#include <cstdlib>

#include "app/cli/tracing.h"
#include "base/log.h"

namespace dropscore::app {

unsigned side_by_side(unsigned wanted, unsigned available) {
  return wanted > 0 ? wanted : std::clamp(available, 2U, 8U);
}

void stop_or_leave(Journey& journey) {
  if (journey.stop()) return;
  log::warning("gave_back", {{"reason", "files were still being scored after the drain time; others take them"}});
  leave(exit_done);  // the threads at work hold the stores: nothing may be taken down under them
}

}  // namespace dropscore::app
