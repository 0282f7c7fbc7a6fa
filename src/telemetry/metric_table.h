// Every metric that the program keeps, in one table: name, type, labels, help. docs/operations.md explains each; a test
// holds the page, the dashboard and the alerts against what a running program shows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dropscore::telemetry {

enum class Metric : std::uint8_t {
  build_info,
  process_cpu,
  process_memory,
  process_open_files,
  process_max_files,
  process_start_time,
  process_threads,
  thread_silence,
  memory_limit,
  ready,
  spans_lost,
  http_requests,
  http_duration,
  http_received,
  http_sent,
  http_aborted,
  http_connections,
  http_turned_away,
  http_waiting_bodies,
  http_buffered_bytes,
  http_spooled_bytes,
  rows_scored,
  rows_rejected,
  files,
  file_failures,
  file_duration,
  file_bytes,
  event_to_result,
  files_in_progress,
  files_waiting,
  poison,
  queue_messages,
  queue_age,
  queue_looked_at,
  queue_held,
  deliveries_lost,
  sweeps,
  sweep_duration,
  sweep_found,
  retries,
  retries_exhausted,
  model_info,
  model_loaded_at,
  model_loads,
  model_reload_failures,
  model_refresh_failures,
};
inline constexpr std::size_t metric_count = static_cast<std::size_t>(Metric::model_refresh_failures) + 1;

enum class Type : std::uint8_t { counter, gauge, histogram };

/// The part of the program that a metric is about. A process shows those of the parts that it has.
enum class Part : std::uint8_t { process, http, worker, queue, sweep, model, service };

struct Description {
  Metric metric;
  Type type;
  Part part;
  std::string_view name;
  std::span<const std::string_view> labels;
  std::string_view help;
  std::span<const double> buckets = {};  ///< of a histogram: upper bounds, ascending
};

/// In the order of Metric.
std::span<const Description> metric_table();

inline const Description& description(Metric metric) { return metric_table()[static_cast<std::size_t>(metric)]; }

}  // namespace dropscore::telemetry
