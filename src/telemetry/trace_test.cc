// Spans, what of them is handed on, and who decides that they are recorded.
#include "telemetry/trace.h"

#include <mutex>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/otlp.h"
#include "telemetry/span_exporter.h"

namespace dropscore::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string_view bytes_of(const auto& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

TraceContext caller(bool sampled = true) {
  TraceContext context;
  context.trace_id = new_trace_id();
  context.span_id = new_span_id();
  context.sampled = sampled;
  context.state = "vendor=1";
  return context;
}

class TraceTest : public testing::Test {
 protected:
  ~TraceTest() override {
    stop_export(std::chrono::seconds(5));
    set_sampler({});
  }

  void start(const Sampler& sampler = {}) {
    TraceSettings settings;
    settings.endpoint = "http://collector/v1/traces";
    settings.sampler = sampler;
    start_export(settings,
                 [this](const std::string& body, const Deadline&, const std::stop_token&) -> Result<SendReply> {
                   sent_ += body;
                   return SendReply{.status = 200, .retry_after = {}, .body = {}};
                 });
  }
  /// What was exported, once all of it was.
  std::string exported() {
    stop_export(std::chrono::seconds(5));
    return sent_;
  }

  std::string sent_;
};

TEST_F(TraceTest, WithoutExportTheCallersSpanIsHandedOn) {
  const TraceContext parent = caller(false);
  const Span span("work", SpanKind::server, parent, WallClock::now());
  EXPECT_FALSE(span.recorded());
  EXPECT_EQ(traceparent(span.context()), traceparent(parent));
  EXPECT_EQ(span.context().state, "vendor=1");
}

TEST_F(TraceTest, WithoutExportNorCallerATraceBeginsAllTheSame) {
  const Span outer("work");
  const Span inner("more");
  EXPECT_TRUE(outer.context().has_span());
  EXPECT_TRUE(outer.context().sampled) << "whoever is called may record it";
  EXPECT_EQ(traceparent(inner.context()), traceparent(outer.context()));
  EXPECT_FALSE(outer.recorded());
}

TEST_F(TraceTest, WithExportEachSpanHasItsOwnId) {
  start();
  const TraceContext parent = caller();
  {
    Span span("work", SpanKind::consumer, parent, WallClock::now());
    EXPECT_TRUE(span.recorded());
    EXPECT_EQ(span.context().trace_id, parent.trace_id);
    EXPECT_NE(span.context().span_id, parent.span_id);
    EXPECT_EQ(span.context().state, "vendor=1");
    span.set("rows", 3);
    span.set("blob", "a.csv");
    span.set("whole", true);
    span.fail("try_later");
  }
  const std::string sent = exported();
  EXPECT_THAT(sent, HasSubstr(bytes_of(parent.span_id)));
  for (const char* text : {"work", "rows", "blob", "a.csv", "whole", "error.type", "try_later"}) {
    EXPECT_THAT(sent, HasSubstr(text));
  }
}

TEST_F(TraceTest, WhatIsOverIsToldAfterwards) {
  start();
  SpanId outer{};
  {
    const Span span("outer");
    outer = span.context().span_id;
    add_past_span("wait", WallClock::now() - std::chrono::seconds(5), WallClock::now());
  }
  EXPECT_THAT(exported(), HasSubstr("\x22\x08" + std::string(bytes_of(outer)) + "\x2a\x04wait"));
}

TEST_F(TraceTest, ASpanThatIsNotSampledIsNotExported) {
  start();
  {
    Span span("quiet", SpanKind::server, caller(false), WallClock::now());
    span.set("secret", "x");
    EXPECT_FALSE(span.recorded());
    EXPECT_FALSE(span.context().sampled);
  }
  { const Span span("loud"); }
  EXPECT_THAT(exported(), testing::AllOf(HasSubstr("loud"), Not(HasSubstr("quiet")), Not(HasSubstr("secret"))));
}

TEST_F(TraceTest, TheSamplerDecides) {
  start({.by_parent = false, .ratio = 0});
  EXPECT_FALSE(begin_span(caller()).recorded);
  set_sampler({.by_parent = false, .ratio = 1});
  EXPECT_TRUE(begin_span(caller(false)).recorded);
  set_sampler({.by_parent = true, .ratio = 0});
  EXPECT_TRUE(begin_span(caller()).recorded);
  EXPECT_FALSE(begin_span({}).recorded);
}

TEST_F(TraceTest, ARatioOfTracesIsRecorded) {
  start({.by_parent = false, .ratio = 0.25});
  int recorded = 0;
  for (int i = 0; i < 4000; ++i) {
    const TraceContext parent = caller();
    const bool one = begin_span(parent).recorded;
    EXPECT_EQ(begin_span(parent).recorded, one) << "all spans of a trace, or none";
    recorded += one ? 1 : 0;
  }
  EXPECT_NEAR(recorded, 1000, 150);  // five standard deviations
}

TEST_F(TraceTest, ATraceWithoutASpanGetsItsFirst) {
  start();
  TraceContext trace;
  trace.trace_id = trace_id_of("a message");
  const SpanIdentity span = begin_span(trace);
  EXPECT_EQ(span.context.trace_id, trace.trace_id);
  EXPECT_EQ(span.parent, SpanId{});
  EXPECT_TRUE(span.recorded);
}

TEST_F(TraceTest, TheThreadIsInItsInnermostSpan) {
  EXPECT_FALSE(current_trace().has_trace());
  const TraceContext context = caller();
  {
    const Span outer("outer");
    {
      const InSpan in(context);
      EXPECT_EQ(&current_trace(), &context);
      const Span inner("inner");
      EXPECT_EQ(inner.context().trace_id, context.trace_id);
    }
    EXPECT_EQ(&current_trace(), &outer.context());
  }
  EXPECT_FALSE(current_trace().has_trace());
}

TEST_F(TraceTest, LinesOfTheLogNameTheSpan) {
  testing::internal::CaptureStderr();
  const TraceContext context = caller();
  {
    const InSpan in(context);
    log::warning("within");
  }
  log::warning("outside");
  const std::string written = testing::internal::GetCapturedStderr();
  const std::string ids = traceparent(context);
  EXPECT_THAT(written,
              HasSubstr(fmt::format("within trace_id={} span_id={}\n", ids.substr(3, 32), ids.substr(36, 16))));
  EXPECT_THAT(written, HasSubstr("outside\n"));
}

}  // namespace
}  // namespace dropscore::telemetry
