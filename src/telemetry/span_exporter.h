// Takes finished spans from any thread and sends them in batches, from a thread of its own, as OTLP over HTTP asks
// (OpenTelemetry Protocol 1.3, "OTLP/HTTP"). How bytes are sent is the caller's: this room knows no HTTP client.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "telemetry/trace.h"
#include "telemetry/trace_settings.h"

namespace dropscore::telemetry {

struct SendReply {
  int status = 0;
  std::optional<std::chrono::milliseconds> retry_after;  ///< what the answer asked for
  std::string body;                                      ///< a few KiB of it
};

/// POSTs a body to the collector with its headers; returns by the deadline, and soon where it is cancelled. Called by
/// one thread. Errors: any, no answer came.
using Send = std::function<Result<SendReply>(const std::string& body, const Deadline& deadline,
                                             const std::stop_token& cancelled)>;

/// Thread-safe where not stated otherwise.
class SpanExporter {
 public:
  SpanExporter(const TraceSettings& settings, Send send);
  /// As stop(), without patience.
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  /// Holds a lock for a push. What there is no room for is dropped and counted.
  void add(FinishedSpan span);

  /// Sends what is left, each batch once, for as long as `patience` lasts; what is being sent then is cancelled. Takes
  /// no more. May be called twice, by one thread.
  void stop(std::chrono::milliseconds patience);

  struct Counts {
    std::uint64_t sent = 0;     ///< and taken by the collector
    std::uint64_t dropped = 0;  ///< no room in the queue
    std::uint64_t failed = 0;   ///< refused by the collector, or not sent in any of the tries
  };
  Counts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Spans that end from now on are exported, and sampled as the settings say. Not thread-safe: before threads start.
/// REQUIRES: settings.exports(); they are not exported yet.
void start_export(const TraceSettings& settings, Send send);
/// The sampler alone, for a process that exports nothing: it decides what others are told. As start_export().
void set_sampler(const Sampler& sampler);
/// Flushes, for `patience` at most; spans that end later are dropped. Thread-safe; may be called where nothing is
/// exported.
void stop_export(std::chrono::milliseconds patience);
/// Of all spans of this process.
SpanExporter::Counts export_counts();

/// Should a span in this context, its parent's or a new trace's, be recorded?
bool is_sampled(const TraceContext& parent);

}  // namespace dropscore::telemetry
