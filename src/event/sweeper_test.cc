#include "event/sweeper.h"

#include <vector>

#include <gtest/gtest.h>

namespace dropscore::event {
namespace {

using namespace std::chrono_literals;
using Clock = Sweeper::Clock;

constexpr auto ample = 20s;

template <class Condition>
bool becomes_true(const Condition& condition) {
  const auto deadline = Clock::now() + ample;
  while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
  return condition();
}

TEST(Sweeper, SweepsAtOnceAndAgain) {
  std::atomic<int> sweeps = 0;
  Sweeper sweeper(1ms, [&](Clock::time_point) -> Status { return ++sweeps, Status(); });
  EXPECT_EQ(sweeps, 0);
  sweeper.start();
  EXPECT_TRUE(becomes_true([&] { return sweeps >= 3; }));
}

TEST(Sweeper, ALongPauseEndsWhenAskedTo) {
  std::atomic<int> sweeps = 0;
  Sweeper sweeper(1h, [&](Clock::time_point) -> Status { return ++sweeps, Status(); });
  sweeper.start();
  EXPECT_TRUE(becomes_true([&] { return sweeps == 1; }));
  sweeper.sweep_soon();
  EXPECT_TRUE(becomes_true([&] { return sweeps == 2; }));
  const auto start = Clock::now();
  sweeper.stop();
  EXPECT_TRUE(sweeper.stopping());
  EXPECT_LT(Clock::now() - start, ample) << "of an hour";
}

TEST(Sweeper, TakesATwentiethOfTheTimeAtMost) {
  EXPECT_EQ(Sweeper::pause_after(1ms, 500ms), 500ms);
  EXPECT_EQ(Sweeper::pause_after(2s, 500ms), 38s);
  for (const auto took : {26ms, 27ms, 1000ms}) {
    const auto pause = Sweeper::pause_after(took, 500ms);
    EXPECT_LE(20 * took, took + pause + 1ms) << took.count();
  }
}

TEST(Sweeper, AFaultDoesNotEndIt) {
  std::atomic<int> sweeps = 0;
  Sweeper sweeper(1ms, [&](Clock::time_point) -> Status {
    ++sweeps;
    return fail(ErrorKind::try_later, "the store is away");
  });
  sweeper.start();
  EXPECT_TRUE(becomes_true([&] { return sweeps >= 3; }));
}

TEST(Sweeper, KnowsItsLastGoodSweep) {
  std::atomic<bool> fails = false;
  std::atomic<int> sweeps = 0;
  Sweeper sweeper(1ms, [&](Clock::time_point) -> Status {
    ++sweeps;
    if (fails) return fail(ErrorKind::try_later, "no");
    return {};
  });
  const auto made = sweeper.state().last_done;
  sweeper.start();
  EXPECT_TRUE(becomes_true([&] { return sweeper.state().last_done > made; }));
  EXPECT_GE(sweeper.state().expected_every, 1ms);
  fails = true;
  EXPECT_TRUE(becomes_true([&, seen = sweeps + 2] { return sweeps > seen; }));
  const auto last = sweeper.state().last_done;
  EXPECT_TRUE(becomes_true([&, seen = sweeps + 2] { return sweeps > seen; }));
  EXPECT_EQ(sweeper.state().last_done, last);
}

TEST(FaultLog, TellsOnceOfWhatLasts) {
  FaultLog log("test_failed");
  const Status away = fail(ErrorKind::try_later, "the store is away");
  const Status other = fail(ErrorKind::try_later, "the store is away, request 2");
  const Clock::time_point start = Clock::now();
  EXPECT_FALSE(log.note({}, start));
  EXPECT_TRUE(log.note(away, start));
  EXPECT_FALSE(log.note(away, start + 1h));
  EXPECT_TRUE(log.note(other, start + 1h));
  EXPECT_FALSE(log.note(away, start + 1h + 59s)) << "may well be the same fault under another request's id";
  EXPECT_TRUE(log.note(away, start + 1h + 60s));
  EXPECT_FALSE(log.note({}, start + 1h + 61s));
  EXPECT_TRUE(log.note(away, start + 1h + 62s)) << "it was well in between";
}

TEST(Sweeper, RefusesIntervalsThatCannotBe) {
  EXPECT_TRUE(validate_sweep_interval(1ms));
  EXPECT_TRUE(validate_sweep_interval(24h));
  EXPECT_EQ(validate_sweep_interval(0ms).error().kind, ErrorKind::misuse);
  EXPECT_EQ(validate_sweep_interval(24h + 1ms).error().kind, ErrorKind::misuse);
}

}  // namespace
}  // namespace dropscore::event
