#include "base/log.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::log {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class LogTest : public testing::TestWithParam<Format> {
 protected:
  ~LogTest() override { set_up(Level::warning, Format::text); }
};

// Whoever reads a log cannot tell in which of the two ways a line was written.
TEST_P(LogTest, GatheredLinesLookAsTheOthersDo) {
  set_up(Level::info, GetParam());
  CaptureStderr();
  info("request", {{"path", "/a b\"c"}, {"status", 200}, {"took_ms", 0.25}, {"aborted", false}});
  const std::string written = GetCapturedStderr();
  CaptureStderr();
  {
    Gathered lines;
    for (int i = 0; i < 2; ++i) {
      lines.info("request", {{"path", "/a b\"c"}, {"status", 200}, {"took_ms", 0.25}, {"aborted", false}});
    }
    EXPECT_EQ(lines.bytes(), 2 * written.size());
    lines.write();
    EXPECT_EQ(lines.bytes(), 0U);
    lines.info("last");
  }
  const std::string gathered = GetCapturedStderr();
  const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
  const std::string one = std::regex_replace(written, time, "TIME");
  const std::string all = std::regex_replace(gathered, time, "TIME");
  EXPECT_THAT(one, testing::HasSubstr("TIME"));
  EXPECT_THAT(all, testing::StartsWith(one + one));
  EXPECT_THAT(all.substr(2 * one.size()), testing::HasSubstr("last"));
}

TEST_P(LogTest, NothingIsGatheredThatNobodyWants) {
  set_up(Level::warning, GetParam());
  Gathered lines;
  lines.info("request", {{"status", 200}});
  EXPECT_EQ(lines.bytes(), 0U);
}

TEST_P(LogTest, LinesOfATraceEndWithItsIds) {
  set_up(Level::info, GetParam());
  TraceIds ids;
  ids.trace_id.fill(0xab);
  CaptureStderr();
  const TraceIds* const before = exchange_trace(&ids);
  info("first");
  ids.span_id.fill(0x0c);
  {
    Gathered lines;
    lines.info("second");
  }
  EXPECT_EQ(exchange_trace(before), &ids);
  info("third");
  const std::string written = GetCapturedStderr();
  const bool text = GetParam() == Format::text;
  const std::string trace(32, 'x');
  const std::string hex = std::regex_replace(trace, std::regex("xx"), "ab");
  EXPECT_THAT(written, testing::HasSubstr(text ? "first trace_id=" + hex + "\n"
                                               : R"("event":"first","trace_id":")" + hex + "\"}\n"));
  EXPECT_THAT(written, testing::HasSubstr(text ? "second trace_id=" + hex + " span_id=0c0c0c0c0c0c0c0c\n"
                                               : R"("trace_id":")" + hex + R"(","span_id":"0c0c0c0c0c0c0c0c"})"));
  EXPECT_THAT(written, testing::HasSubstr(text ? "third\n" : "\"event\":\"third\"}\n"));
}

TEST_P(LogTest, JsonLinesNameTheService) {
  set_up(Level::info, GetParam(), "50% \"off\"");
  CaptureStderr();
  info("first");
  {
    Gathered lines;
    lines.info("second");
  }
  const std::string written = GetCapturedStderr();
  for (const std::string event : {"first", "second"}) {
    EXPECT_THAT(written,
                testing::HasSubstr(GetParam() == Format::text
                                       ? "Z info " + event + "\n"
                                       : R"("level":"info","service":"50% \"off\"","event":")" + event + "\"}\n"));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, LogTest, testing::Values(Format::text, Format::json));

}  // namespace
}  // namespace dropscore::log
