#include "telemetry/heartbeat.h"

#include <thread>

#include <gtest/gtest.h>

namespace dropscore::telemetry {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Rounded up, and one more: a pulse knows whole milliseconds.
milliseconds since(Clock::time_point time) {
  return std::chrono::ceil<milliseconds>(Clock::now() - time) + milliseconds(1);
}

TEST(Pulse, IsSilentSinceItsLastBeat) {
  Pulse pulse("worker", milliseconds(20));
  std::this_thread::sleep_for(milliseconds(30));
  ASSERT_EQ(silences().size(), 1U);
  EXPECT_EQ(silences().front().name, "worker");
  EXPECT_GE(silences().front().lasted, milliseconds(30));
  EXPECT_TRUE(silences().front().too_long());
  const auto before = Clock::now();
  pulse.beat();
  const milliseconds silence = pulse.silence();
  EXPECT_LE(silence, since(before));
}

TEST(Pulse, IsWatchedAsLongAsItLives) {
  { const Pulse pulse("worker", milliseconds(1)); }
  EXPECT_TRUE(silences().empty());
}

TEST(Pulse, TheOneNearestItsLimitComesFirst) {
  const Pulse patient("patient", std::chrono::hours(1));
  const Pulse strict("strict", milliseconds(1));
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(silences().front().name, "strict");
  EXPECT_FALSE(silences().back().too_long());
}

TEST(Beat, IsOfWhomTheThreadWorksFor) {
  beat();  // for nobody
  Pulse pulse("worker", milliseconds(1));
  std::this_thread::sleep_for(milliseconds(20));
  const auto before = Clock::now();
  std::thread([&pulse] {
    const BeatsFor helping(&pulse);
    EXPECT_EQ(pulse_of_thread(), &pulse);
    {
      const BeatsFor nobody(nullptr);
      EXPECT_EQ(pulse_of_thread(), nullptr);
    }
    EXPECT_EQ(pulse_of_thread(), &pulse);
  }).join();
  const milliseconds silence = pulse.silence();
  EXPECT_LE(silence, since(before)) << "as the helper began, and not before";
  EXPECT_EQ(pulse_of_thread(), nullptr);
}

}  // namespace
}  // namespace dropscore::telemetry
