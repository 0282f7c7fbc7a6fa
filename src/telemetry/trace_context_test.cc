#include "telemetry/trace_context.h"

#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dropscore::telemetry {
namespace {

using Random = std::mt19937;

constexpr std::string_view example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";  // the Recommendation's

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

std::string with(std::string text, std::size_t at, std::string_view instead) {
  return text.replace(at, instead.size(), instead);
}

TEST(Traceparent, IsReadAndWritten) {
  const auto context = parse_traceparent(example);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->has_span());
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->trace_id.front(), 0x4b);
  EXPECT_EQ(context->span_id.back(), 0xb7);
  EXPECT_EQ(traceparent(*context), example);
}

TEST(Traceparent, OnlyTheSampledFlagIsKnown) {
  const std::string text(example);
  EXPECT_FALSE(parse_traceparent(with(text, 53, "00"))->sampled);
  EXPECT_FALSE(parse_traceparent(with(text, 53, "fe"))->sampled);
  EXPECT_EQ(traceparent(*parse_traceparent(with(text, 53, "ff"))), example);
}

TEST(Traceparent, OfALaterVersionWhatIsKnownIsTaken) {
  const std::string text(example);
  const std::string later = with(text, 0, "cc");
  for (const std::string& good : {later, later + "-", later + "-what-the-future-will-be-like", with(text, 0, "01")}) {
    ASSERT_TRUE(parse_traceparent(good)) << good;
    EXPECT_EQ(traceparent(*parse_traceparent(good)), example);
  }
  for (const std::string& bad : {later + ".what", later + "0", with(text, 0, "ff"), text + "-", text + "-00"}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(Traceparent, WhatIsNoneCountsAsMissing) {
  const std::string text(example);
  for (const std::string& bad :
       {std::string(), std::string("00"), text.substr(0, 54), " " + text, with(text, 3, std::string(32, '0')),
        with(text, 36, std::string(16, '0')), with(text, 3, "4B"), with(text, 0, "0G"), with(text, 2, "_"),
        with(text, 53, "1x"), with(text, 10, "-"), with(text, 3, std::string("\0", 1))}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
  EXPECT_FALSE(trace_context("none", "a=1").has_trace());
  EXPECT_TRUE(trace_context("none", "a=1").state.empty());
}

RC_GTEST_PROP(TraceparentProperty, EveryContextReadsBack, (bool sampled)) {
  TraceContext context;
  context.trace_id = new_trace_id();
  context.span_id = new_span_id();
  context.sampled = sampled;
  const std::string text = traceparent(context);
  RC_ASSERT(text.size() == example.size());
  const auto again = parse_traceparent(text);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->trace_id == context.trace_id && again->span_id == context.span_id && again->sampled == sampled);
}

/// The grammar once more, in another way: position by position.
bool is_sound(std::string_view text) {
  constexpr std::string_view form = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool hex = std::string_view("0123456789abcdef").find(text[i]) != std::string_view::npos;
    if (form[i] == 'h' ? !hex : text[i] != '-') return false;
  }
  const bool zeros = text.substr(3, 32).find_first_not_of('0') == std::string_view::npos ||
                     text.substr(36, 16).find_first_not_of('0') == std::string_view::npos;
  const bool longer_as_it_may = text.size() == form.size() || (!text.starts_with("00") && text[form.size()] == '-');
  return !zeros && !text.starts_with("ff") && longer_as_it_may;
}

RC_GTEST_PROP(TraceparentProperty, ASpoiltOneIsTakenOnlyIfItIsSoundStill, (unsigned seed)) {
  Random random(seed);
  for (int round = 0; round < 50; ++round) {
    std::string text(example);
    for (std::size_t n = below(random, 4); n > 0; --n) {
      constexpr std::string_view likely("0123456789abcdefABCDEFg- \0\xff", 27);
      const char c = likely[below(random, likely.size())];
      const std::size_t at = below(random, text.size());
      switch (below(random, 4)) {
        case 0: text.insert(at, 1, c); break;
        case 1: text.erase(at, 1); break;
        case 2: text.push_back(c); break;
        default: text[at] = c;
      }
    }
    RC_ASSERT(parse_traceparent(text).has_value() == is_sound(text));
  }
}

TEST(Tracestate, IsHandedOnAsItCame) {
  EXPECT_EQ(checked_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(checked_tracestate(" a=1 ,\tb=x y ,, 0tenant/*-_@system=!"), "a=1,b=x y,0tenant/*-_@system=!");
  EXPECT_EQ(checked_tracestate(""), "");
  EXPECT_EQ(trace_context(example, "a=1").state, "a=1");
}

TEST(Tracestate, OneUnsoundMemberSpoilsIt) {
  for (const std::string& bad :
       {std::string("a"), std::string("=1"), std::string("a="), std::string("A=1"), std::string("1a=1"),
        std::string("a=1,a=2"), std::string("a=1=2"), std::string("a=\xc3\xa9"), std::string("a\x01=1"),
        std::string("a@=1"), std::string("@b=1"), std::string("a@1b=1"), "t@" + std::string(15, 's') + "=1",
        std::string(257, 'k') + "=1", "a=" + std::string(257, 'v')}) {
    EXPECT_EQ(checked_tracestate("x=1," + bad), "") << bad;
  }
}

TEST(Tracestate, HasLimits) {
  std::string members;
  for (int i = 0; i < 32; ++i) members += fmt::format("k{}=v,", i);
  EXPECT_EQ(checked_tracestate(members), members.substr(0, members.size() - 1));
  EXPECT_EQ(checked_tracestate(members + "one=more"), "");

  const auto member = [](char key, std::size_t bytes) {
    return std::string(1, key) + "=" + std::string(bytes - 2, 'v');
  };
  // Large ones go first, from the end, and no more of them than it takes.
  EXPECT_EQ(
      checked_tracestate(member('a', 200) + "," + member('b', 200) + "," + member('c', 100) + "," + member('d', 100)),
      member('a', 200) + "," + member('c', 100) + "," + member('d', 100));
  std::string small;
  for (const char key : {'a', 'b', 'c', 'd', 'e', 'f'}) small += (small.empty() ? "" : ",") + member(key, 120);
  EXPECT_EQ(checked_tracestate(small), small.substr(0, 4 * 121 - 1));
}

TEST(TraceIds, AreNeverMetTwice) {
  std::set<TraceId> traces;
  std::set<SpanId> spans;
  for (int i = 0; i < 10'000; ++i) {
    traces.insert(new_trace_id());
    spans.insert(new_span_id());
  }
  EXPECT_EQ(traces.size(), 10'000U);
  EXPECT_EQ(spans.size(), 10'000U);
}

TEST(TraceIds, OneNameHasOneTrace) {
  EXPECT_EQ(trace_id_of("2d1781af"), trace_id_of("2d1781af"));
  EXPECT_NE(trace_id_of("2d1781af"), trace_id_of("2d1781ae"));
}

}  // namespace
}  // namespace dropscore::telemetry
