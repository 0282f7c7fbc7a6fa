// The bytes by hand, from the rules of Protocol Buffers. That they are what the published schema says is
// tests/telemetry/otlp_schema_test.mjs's to show, with code that was generated from it.
#include "telemetry/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dropscore::telemetry {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

FinishedSpan span() {
  FinishedSpan made;
  made.identity.context.trace_id.fill(0x11);
  made.identity.context.span_id.fill(0x22);
  made.identity.context.sampled = true;
  made.name = "work";
  made.kind = SpanKind::server;
  made.start = WallClock::time_point(std::chrono::nanoseconds(1));
  made.end = WallClock::time_point(std::chrono::nanoseconds(2));
  return made;
}

TEST(Otlp, ASpanIsTheBytesThatTheSchemaSays) {
  const std::string body = encoded_request(encoded_resource({{"a", "b"}}), std::vector{span()});
  const std::string resource = "\x0a\x0a\x0a\x08\x0a\x01"s + "a\x12\x03\x0a\x01" + "b";
  const std::string scope =
      "\x0a\x0b\x0a\x09"
      "dropscore"s;
  const std::string one = "\x0a\x10"s + std::string(16, '\x11') + "\x12\x08" + std::string(8, '\x22') + "\x2a\x04work" +
                          "\x30\x02" + "\x39\x01\0\0\0\0\0\0\0"s + "\x41\x02\0\0\0\0\0\0\0"s + "\x85\x01\x01\0\0\0"s;
  const std::string spans = scope + "\x12" + static_cast<char>(one.size()) + one;
  EXPECT_THAT(body, HasSubstr(resource + "\x12" + static_cast<char>(spans.size()) + spans));
  EXPECT_EQ(body.front(), '\x0a');
}

TEST(Otlp, WhatIsThereIsWritten) {
  FinishedSpan made = span();
  made.identity.parent.fill(0x33);
  made.identity.context.state = "vendor=1";
  made.failed = true;
  made.attributes = {{"text", "x"s}, {"whole", std::int64_t{-1}}, {"flag", false}, {"number", 1.0}};
  const std::string body = encoded_request({}, std::vector{made});
  for (const std::string& part : {"\x1a\x08vendor=1"s, "\x22\x08"s + std::string(8, '\x33'), "\x7a\x02\x18\x02"s,
                                  "\x12\x03\x0a\x01x"s, "\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
                                  "\x12\x02\x10\0"s, "\x12\x09\x21\0\0\0\0\0\0\xf0\x3f"s}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
}

TEST(Otlp, ATextThatIsNotUtf8IsMended) {
  FinishedSpan made = span();
  made.attributes = {{"blob", "a\xff"s}};
  EXPECT_THAT(encoded_request({}, std::vector{made}), HasSubstr("a\xEF\xBF\xBD"));
}

TEST(Otlp, AnEndBeforeTheStartIsTheStart) {
  FinishedSpan made = span();
  made.end = made.start - std::chrono::seconds(1);
  EXPECT_THAT(encoded_request({}, std::vector{made}), HasSubstr("\x41\x01\0\0\0\0\0\0\0"s));
}

TEST(PartialSuccess, IsReadWhereThereIsOne) {
  const auto partial = partial_success(
      "\x0a\x07\x08\x02\x12\x03"
      "bad"s);
  ASSERT_TRUE(partial);
  EXPECT_EQ(partial->rejected, 2);
  EXPECT_EQ(partial->message, "bad");
  EXPECT_FALSE(partial_success(""));
  EXPECT_FALSE(partial_success("\x0a\0"s)) << "all is well";
  EXPECT_FALSE(partial_success("{}")) << "JSON, of a collector that does not look at Accept";
  EXPECT_TRUE(partial_success("\x10\x05\x1d\1\2\3\4\x21\1\2\3\4\5\6\7\x08\x0a\x02\x08\x01"s))
      << "other fields are passed over";
}

RC_GTEST_PROP(PartialSuccessProperty, AnyBytesAreReadWithoutFault, (const std::string& bytes)) {
  partial_success(bytes);
  partial_success("\x0a" + std::string(1, static_cast<char>(bytes.size())) + bytes);
}

}  // namespace
}  // namespace dropscore::telemetry
