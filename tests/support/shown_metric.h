// What a scrape shows.
#pragma once

#include <string>

#include "telemetry/metrics.h"

namespace dropscore::testing {

/// The value of one series, `name{a="x",b="y"}` with its labels in alphabetical order; -1 where there is none.
inline double shown_metric(const std::string& series) {
  const std::string text = "\n" + telemetry::scrape();
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
}

}  // namespace dropscore::testing
