#include "telemetry/metric_table.h"

#include <array>

namespace dropscore::telemetry {
namespace {

using Labels = std::span<const std::string_view>;

constexpr std::array<std::string_view, 3> build{"version", "commit", "build_type"};
constexpr std::array<std::string_view, 3> request{"path", "method", "status"};
constexpr std::array<std::string_view, 1> path{"path"};
constexpr std::array<std::string_view, 1> reason{"reason"};
constexpr std::array<std::string_view, 1> source{"source"};
constexpr std::array<std::string_view, 2> source_and_reason{"source", "reason"};
constexpr std::array<std::string_view, 1> outcome{"outcome"};
constexpr std::array<std::string_view, 1> kind{"kind"};
constexpr std::array<std::string_view, 2> operation{"service", "operation"};
constexpr std::array<std::string_view, 2> model{"version", "kind"};

// A small request takes some 50 microseconds, a body of gigabytes minutes.
constexpr std::array<double, 18> request_seconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                 0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    120};
constexpr std::array<double, 14> file_seconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800};

using enum Metric;
using enum Type;

// clang-format off
constexpr std::array<Description, metric_count> table{{
    {build_info, gauge, Part::process, "dropscore_build_info", build, "The program that runs; always 1."},
    {process_cpu, counter, Part::process, "process_cpu_seconds_total", {}, "Processor time used, user and system."},
    {process_memory, gauge, Part::process, "process_resident_memory_bytes", {}, "Memory in use."},
    {process_open_files, gauge, Part::process, "process_open_fds", {}, "Open file descriptors."},
    {process_max_files, gauge, Part::process, "process_max_fds", {}, "Most file descriptors that may be open."},
    {process_start_time, gauge, Part::process, "process_start_time_seconds", {}, "When the process started, Unix time."},
    {process_threads, gauge, Part::process, "process_threads", {}, "Threads."},
    {thread_silence, gauge, Part::process, "dropscore_thread_silence_seconds", {}, "How long the watched thread that got on least lately has been silent."},
    {memory_limit, gauge, Part::process, "dropscore_memory_limit_bytes", {}, "The control group's limit on memory; without one, the machine's memory."},
    {ready, gauge, Part::process, "dropscore_ready", {}, "1 where /readyz answers 200, else 0."},
    {spans_lost, counter, Part::process, "dropscore_spans_lost_total", reason, "Spans that did not reach the collector."},

    {http_requests, counter, Part::http, "dropscore_http_requests_total", request, "Requests answered."},
    {http_duration, histogram, Part::http, "dropscore_http_request_duration_seconds", path, "From a request's first byte to its answer's last.", request_seconds},
    {http_received, counter, Part::http, "dropscore_http_received_body_bytes_total", path, "Bytes of requests' bodies."},
    {http_sent, counter, Part::http, "dropscore_http_sent_bytes_total", path, "Bytes of answers, heads included."},
    {http_aborted, counter, Part::http, "dropscore_http_aborted_total", path, "Answers cut short, by the client or by a fault."},
    {http_connections, gauge, Part::http, "dropscore_http_connections", {}, "Open connections."},
    {http_turned_away, counter, Part::http, "dropscore_http_turned_away_total", reason, "Requests and connections turned away for want of room."},
    {http_waiting_bodies, gauge, Part::http, "dropscore_http_waiting_bodies", {}, "Large bodies that wait for a thread to score them."},
    {http_buffered_bytes, gauge, Part::http, "dropscore_http_buffered_body_bytes", {}, "Bytes of bodies held in memory."},
    {http_spooled_bytes, gauge, Part::http, "dropscore_http_spooled_answer_bytes", {}, "Bytes of answers laid aside in temporary files."},

    {rows_scored, counter, Part::process, "dropscore_rows_scored_total", source, "Rows scored."},
    {rows_rejected, counter, Part::process, "dropscore_rows_rejected_total", source_and_reason, "Rows refused."},

    {files, counter, Part::worker, "dropscore_files_total", outcome, "Files finished."},
    {file_failures, counter, Part::worker, "dropscore_file_failures_total", kind, "Tries of a file that failed, by the error's kind."},
    {file_duration, histogram, Part::worker, "dropscore_file_duration_seconds", {}, "Work on one finished file.", file_seconds},
    {file_bytes, counter, Part::worker, "dropscore_file_bytes_total", {}, "Bytes of files scored."},
    {event_to_result, histogram, Part::worker, "dropscore_event_to_result_seconds", {}, "From a file's event to its published result.", file_seconds},
    {files_in_progress, gauge, Part::worker, "dropscore_files_in_progress", {}, "Files being worked on."},
    {files_waiting, gauge, Part::sweep, "dropscore_files_waiting", {}, "Files in this process's own line, those that wait for another try included."},
    {poison, counter, Part::worker, "dropscore_poison_total", reason, "Files and messages given up."},

    {queue_messages, gauge, Part::queue, "dropscore_queue_messages", {}, "Messages in the queue, those being worked on included; approximate."},
    {queue_age, gauge, Part::queue, "dropscore_queue_oldest_message_age_seconds", {}, "Since the oldest message that nobody works on was put there; 0 where there is none."},
    {queue_looked_at, gauge, Part::queue, "dropscore_queue_last_look_timestamp_seconds", {}, "When the queue last told its length and age, Unix time."},
    {queue_held, gauge, Part::queue, "dropscore_queue_messages_held", {}, "Messages that this process has taken and not ended."},
    {deliveries_lost, counter, Part::queue, "dropscore_queue_deliveries_lost_total", {}, "Messages that could not be kept while they were being worked on; others have them."},

    {sweeps, counter, Part::sweep, "dropscore_sweeps_total", outcome, "Sweeps."},
    {sweep_duration, histogram, Part::sweep, "dropscore_sweep_duration_seconds", {}, "One sweep.", file_seconds},
    {sweep_found, counter, Part::sweep, "dropscore_sweep_found_files_total", {}, "Files without a result that a sweep found and no event had told of."},

    {retries, counter, Part::service, "dropscore_retries_total", operation, "Requests that were sent again."},
    {retries_exhausted, counter, Part::service, "dropscore_retries_exhausted_total", operation, "Operations that failed with tries or time used up."},

    {model_info, gauge, Part::model, "dropscore_model_info", model, "The model that scores; always 1."},
    {model_loaded_at, gauge, Part::model, "dropscore_model_load_timestamp_seconds", {}, "When that model was loaded, Unix time."},
    {model_loads, counter, Part::model, "dropscore_model_loads_total", {}, "Models loaded, the first included."},
    {model_reload_failures, counter, Part::model, "dropscore_model_reload_failures_total", {}, "Models that could not be loaded; the one before goes on scoring."},
    {model_refresh_failures, counter, Part::model, "dropscore_model_refresh_failures_total", {}, "Looks for a new model that failed; the one in use goes on scoring."},
}};
// clang-format on

consteval bool is_in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].metric) != i) return false;
    if ((table[i].type == histogram) == table[i].buckets.empty()) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const Description> metric_table() { return table; }

}  // namespace dropscore::telemetry
