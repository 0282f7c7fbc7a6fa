// What a scrape shows.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "telemetry/metrics.h"

namespace dropscore::testing {

/// The value of one series, `name{a="x",b="y"}` with its labels in alphabetical order; -1 where there is none.
inline double shown_metric(const std::string& series) {
  const std::string text = "\n" + telemetry::scrape();
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
}

/// How much a series has grown since this was made: other tests of the process count too.
class MetricGrowth {
 public:
  explicit MetricGrowth(std::string series) : series_(std::move(series)), before_(now()) {}
  double operator()() const { return now() - before_; }

 private:
  double now() const { return std::max(0.0, shown_metric(series_)); }

  std::string series_;
  double before_;
};

}  // namespace dropscore::testing
