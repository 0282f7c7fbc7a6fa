#include "telemetry/trace.h"

#include <utility>

#include "telemetry/span_exporter.h"

namespace dropscore::telemetry {
namespace {

const TraceContext no_trace;
thread_local const TraceContext* present = &no_trace;

}  // namespace

SpanIdentity begin_span(const TraceContext& parent) {
  SpanIdentity identity;
  identity.context = parent;
  const bool exports = exports_spans();
  if (parent.has_span()) {
    if (!exports) return identity;
    identity.parent = parent.span_id;
  } else if (!parent.has_trace()) {
    identity.context.trace_id = new_trace_id();
  }
  identity.context.sampled = is_sampled(identity.context);  // before it has an id of its own
  identity.context.span_id = new_span_id();
  identity.recorded = exports && identity.context.sampled;
  return identity;
}

void add_past_span(std::string_view name, WallClock::time_point start, WallClock::time_point end) {
  FinishedSpan span{.identity = begin_span(current_trace()),
                    .name = {},
                    .kind = SpanKind::internal,
                    .start = start,
                    .end = end,
                    .attributes = {}};
  if (!span.identity.recorded) return;
  span.name = name;
  end_span(std::move(span));
}

const TraceContext& current_trace() { return *present; }

InSpan::InSpan(const TraceContext& context)
    : outer_(std::exchange(present, &context)), outer_of_log_(log::exchange_trace(&context)) {}

InSpan::~InSpan() {
  log::exchange_trace(outer_of_log_);
  present = outer_;
}

Span::Span(std::string_view name, SpanKind kind, const TraceContext& parent, WallClock::time_point start)
    : span_{.identity = begin_span(parent), .name = {}, .kind = kind, .start = start, .end = {}, .attributes = {}},
      in_(span_.identity.context) {
  if (recorded()) span_.name = name;
}

Span::~Span() {
  if (!recorded()) return;
  span_.end = WallClock::now();
  end_span(std::move(span_));
}

void Span::set(std::string_view name, std::string_view value) {
  if (recorded()) span_.attributes.push_back({name, std::string(value)});
}

void Span::set(std::string_view name, bool value) {
  if (recorded()) span_.attributes.push_back({name, value});
}

void Span::set_number(std::string_view name, std::int64_t value) {
  if (recorded()) span_.attributes.push_back({name, value});
}

void Span::fail(std::string_view type) {
  span_.failed = true;
  set("error.type", type);
}

}  // namespace dropscore::telemetry
