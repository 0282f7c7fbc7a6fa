// Which trace a piece of work belongs to, as it travels between processes: W3C Trace Context (Recommendation of 23
// November 2021, "level 1"), its header fields `traceparent` and `tracestate`. The same two texts are the attributes of
// CloudEvents' distributed tracing extension. Plain values; functions are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"

namespace dropscore::telemetry {

using TraceId = decltype(log::TraceIds::trace_id);
using SpanId = decltype(log::TraceIds::span_id);

/// A span within a trace; a trace alone where span_id is all zeros; nothing where trace_id is.
struct TraceContext : log::TraceIds {
  bool sampled = false;  ///< somebody records the trace, and the rest of it should be recorded too
  std::string state;     ///< other systems' notes, a sound `tracestate`, handed on as they came

  bool has_trace() const { return trace_id != TraceId{}; }
  bool has_span() const { return has_trace() && span_id != SpanId{}; }
};

/// Empty where `text` is none, which then counts as not there. Of a later version than 00 what is known is taken, as
/// the Recommendation asks.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// Of version 00. REQUIRES: context.has_span().
std::string traceparent(const TraceContext& context);

/// `text` as it may be handed on: its members, at most 32, joined by commas alone; empty where one of them is none or
/// two have one key. Over 512 characters the members over 128 go first, then the last ones.
std::string checked_tracestate(std::string_view text);

/// Both, as a message or a request brings them; a `tracestate` without a `traceparent` is not looked at.
TraceContext trace_context(std::string_view traceparent, std::string_view tracestate);

// From the system's random numbers: other processes' ids are not met, nor guessed. Never all zeros.
TraceId new_trace_id();
SpanId new_span_id();

/// A trace of its own for whatever has a name of its own that is as good as random: the same name, the same trace.
TraceId trace_id_of(std::string_view name);

}  // namespace dropscore::telemetry
