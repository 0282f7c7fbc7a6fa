// Spans exported to an OpenTelemetry collector, where the environment names one: the exporter of telemetry/ and the
// HTTP client put together. docs/operations.md, "Traces".
#pragma once

#include "telemetry/trace_settings.h"

namespace dropscore::app {

telemetry::Variables environment_variables();

/// While it lives, spans go where OTEL_EXPORTER_OTLP_ENDPOINT and its like say; its end sends what is left, for a few
/// seconds at most. REQUIRES: block_stop_signals() was called, no other thread has started; there is one at a time.
class Tracing {
 public:
  Tracing();
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;
};

/// Ends the process at once, with nothing taken down, but what spans are left are sent.
[[noreturn]] void leave(int exit_code);

}  // namespace dropscore::app
