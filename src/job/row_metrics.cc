#include "job/row_metrics.h"

#include <cstdint>

#include "table/row_error.h"
#include "telemetry/metrics.h"

namespace dropscore::job {
namespace {

using telemetry::Metric;

/// Of rows that an API refused, which tells their number alone.
constexpr std::string_view untold = "not_told";

}  // namespace

ScoreCounts& ScoreCounts::operator+=(const ScoreCounts& more) {
  scored += more.scored;
  rejected += more.rejected;
  predicted_conversions += more.predicted_conversions;
  bytes_read += more.bytes_read;
  for (std::size_t i = 0; i < rejected_by.size(); ++i) rejected_by[i] += more.rejected_by[i];
  return *this;
}

void count_rows(std::string_view source, const ScoreCounts& counts) {
  if (counts.scored > 0) telemetry::add(Metric::rows_scored, static_cast<double>(counts.scored), {source});
  if (counts.rejected == 0) return;
  std::uint64_t told = 0;
  for (std::size_t i = 0; i < counts.rejected_by.size(); ++i) {
    const std::uint64_t rows = counts.rejected_by[i];
    if (rows == 0) continue;
    const std::string_view reason = name(static_cast<table::RowFault>(i));
    telemetry::add(Metric::rows_rejected, static_cast<double>(rows), {source, reason});
    told += rows;
  }
  if (told < counts.rejected) {
    telemetry::add(Metric::rows_rejected, static_cast<double>(counts.rejected - told), {source, untold});
  }
}

void expose_rows(std::string_view source) {
  telemetry::add(Metric::rows_scored, 0, {source});
  telemetry::add(Metric::rows_rejected, 0, {source, untold});
  for (std::size_t i = 1; i < table::row_fault_count; ++i) {  // from RowFault::none on
    telemetry::add(Metric::rows_rejected, 0, {source, name(static_cast<table::RowFault>(i))});
  }
}

}  // namespace dropscore::job
