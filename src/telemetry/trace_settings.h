// How spans are exported, from the environment variables that OpenTelemetry's specification names ("OpenTelemetry
// Environment Variable Specification", "OpenTelemetry Protocol Exporter"). docs/operations.md lists those that count.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dropscore::telemetry {

using Texts = std::vector<std::pair<std::string, std::string>>;

struct Sampler {
  bool by_parent = true;  ///< where there is a parent it has decided, and the ratio counts for new traces only
  double ratio = 1;       ///< of traces, within 0 to 1; told by the trace's id, so that all who ask alike agree
};

struct TraceSettings {
  std::string endpoint;  ///< spans are POSTed to this URL; empty: not at all. May hold a credential in its query
  Texts headers;         ///< of each request; credentials
  std::chrono::milliseconds timeout{10'000};  ///< of one request
  Texts resource;                             ///< what all spans are of: service.name and the like
  Sampler sampler;
  std::size_t max_queue = 2048;            ///< spans
  std::size_t max_batch = 512;             ///< spans, at most max_queue
  std::chrono::milliseconds delay{5'000};  ///< of a batch that is not full
  /// What of the environment could not be followed, for the log: sentences with the variable's name, without its value.
  std::vector<std::string> warnings;

  bool exports() const { return !endpoint.empty(); }
  /// service.name, never empty.
  const std::string& service() const;
};

/// A variable's value; empty where it is not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// What cannot be read is left as it was, with a warning, as the specification asks: tracing never stops a program.
TraceSettings trace_settings(const Variables& variables, const std::string& version);

}  // namespace dropscore::telemetry
