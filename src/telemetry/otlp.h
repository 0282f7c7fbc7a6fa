// Spans as bytes: OTLP's ExportTraceServiceRequest in Protocol Buffers (opentelemetry-proto 1.x, stable), and what a
// collector answers. By hand: it is one message out and one in, and docs/decisions/0017-otlp-by-hand.md says why.
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/trace.h"
#include "telemetry/trace_settings.h"

namespace dropscore::telemetry {

/// The Resource message of these attributes, made once.
std::string encoded_resource(const Texts& attributes);

/// The body of a POST to /v1/traces, Content-Type application/x-protobuf. Texts that are not UTF-8 are mended.
std::string encoded_request(std::string_view resource, std::span<const FinishedSpan> spans);

/// What a collector says beside its 200: that it took some of the spans only, or has something to remark.
struct PartialSuccess {
  std::int64_t rejected = 0;
  std::string message;
};

/// Of an ExportTraceServiceResponse; empty where it has none, or is none.
std::optional<PartialSuccess> partial_success(std::string_view response);

}  // namespace dropscore::telemetry
