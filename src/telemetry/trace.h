// Spans: named pieces of work with a beginning and an end, each in a trace. Process-wide, as the log is: a span is
// current on its thread while it lives, log lines of that thread carry its ids, calls to other services hand it on, and
// where spans are exported (telemetry/span_exporter.h) it goes there when it ends.
//
// Where none are exported, a span makes no id if it has a parent: what is handed on, and what the log says, is then the
// parent itself, so that nobody is told of a span that nobody will ever see.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "telemetry/trace_context.h"

namespace dropscore::telemetry {

using WallClock = std::chrono::system_clock;

/// As OTLP numbers them.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };

/// Never a customer's data, a credential or a URL's query: a span leaves the house.
struct Attribute {
  std::string_view name;  ///< a literal
  std::variant<std::string, std::int64_t, double, bool> value;
};

/// What a span is before anything is known of it. A plain value.
struct SpanIdentity {
  TraceContext context;   ///< its own, or its parent's where it is not recorded and nothing is exported
  SpanId parent{};        ///< all zeros: none
  bool recorded = false;  ///< it will be exported
};

struct FinishedSpan {
  SpanIdentity identity;
  std::string name;
  SpanKind kind = SpanKind::internal;
  WallClock::time_point start;
  WallClock::time_point end;
  std::vector<Attribute> attributes;
  bool failed = false;
};

/// Are spans exported? Costs a load.
bool exports_spans();

/// A new span beneath `parent`: a span, of this process or another; a trace alone, whose first span it is; or nothing,
/// and a new trace begins. Whether it is recorded, the sampler decides.
SpanIdentity begin_span(const TraceContext& parent);

/// Hands a recorded span on to be exported; drops any other, and those that there is no room for. Never blocks.
void end_span(FinishedSpan span);

/// A span beneath the one that this thread is in, and over already: what is only known of afterwards.
void add_past_span(std::string_view name, WallClock::time_point start, WallClock::time_point end);

/// Of the span that this thread is in; has no trace outside of all.
const TraceContext& current_trace();

/// While it lives, this thread is in a span: for those that begin and end elsewhere. `context` must outlive it. Nested
/// ones end before their outer one, on the same thread.
class InSpan {
 public:
  explicit InSpan(const TraceContext& context);
  ~InSpan();
  InSpan(const InSpan&) = delete;
  InSpan& operator=(const InSpan&) = delete;

 private:
  const TraceContext* outer_;
  const log::TraceIds* outer_of_log_;
};

/// A span of this thread, from here to the end of its scope. Ends on its thread, nested ones first.
class Span {
 public:
  explicit Span(std::string_view name, SpanKind kind = SpanKind::internal)
      : Span(name, kind, current_trace(), WallClock::now()) {}
  Span(std::string_view name, SpanKind kind, const TraceContext& parent, WallClock::time_point start);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  const TraceContext& context() const { return span_.identity.context; }
  bool recorded() const { return span_.identity.recorded; }

  // Nothing is kept where the span is not recorded. `name` is a literal.
  void set(std::string_view name, std::string_view value);
  void set(std::string_view name, const char* value) { set(name, std::string_view(value)); }
  void set(std::string_view name, bool value);
  template <class T>
  requires std::is_integral_v<T>
  void set(std::string_view name, T value) { set_number(name, static_cast<std::int64_t>(value)); }

  /// It failed; `type` is of a small set of names, such as an ErrorKind's.
  void fail(std::string_view type);

 private:
  void set_number(std::string_view name, std::int64_t value);

  FinishedSpan span_;
  InSpan in_;
};

}  // namespace dropscore::telemetry
