#include "base/stop.h"

#include <chrono>
#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace dropscore {
namespace {

using testing::ExitedWithCode;

// Each in a process of its own: a second signal ends it by the program's own hand, which a container's first process
// needs, and not by the signal's default action.

TEST(SecondStopSignal, EndsAProgramThatWaits) {
  const auto twice = [](int first, int second) {
    block_stop_signals();
    std::raise(first);
    if (wait_for_stop_signal() != first) std::_Exit(1);
    std::raise(second);
    std::_Exit(0);
  };
  EXPECT_EXIT(twice(SIGTERM, SIGTERM), ExitedWithCode(143), "");
  EXPECT_EXIT(twice(SIGTERM, SIGINT), ExitedWithCode(130), "");
}

TEST(SecondStopSignal, EndsAProgramThatWorks) {
  const auto twice = [] {
    catch_stop_signals();
    std::raise(SIGINT);
    if (!stop_requested()) std::_Exit(1);
    std::raise(SIGTERM);
    std::_Exit(0);
  };
  EXPECT_EXIT(twice(), ExitedWithCode(143), "");
}

TEST(CaughtStopSignal, EndsTheProgramAsItWouldUncaught) {
  const auto caught = [](int signal) {
    catch_stop_signals();
    if (stop_signal() != 0) std::_Exit(1);
    std::raise(signal);
    if (stop_signal() != signal) std::_Exit(1);
    end_by_stop_signal();
    std::_Exit(0);
  };
  EXPECT_EXIT(caught(SIGINT), testing::KilledBySignal(SIGINT), "");
  EXPECT_EXIT(caught(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(SecondStopSignal, IsNoWishForANewModel) {
  const auto reload_while_stopping = [] {
    block_stop_signals();
    std::raise(SIGTERM);
    wait_for_stop_signal([] {});
    std::raise(SIGHUP);
    std::_Exit(7);
  };
  EXPECT_EXIT(reload_while_stopping(), ExitedWithCode(7), "");
}

/// The stop signal of another process, as every real one is.
void send_from_outside(int signal) {
  if (::fork() == 0) {
    ::kill(::getppid(), signal);
    std::_Exit(0);
  }
}

TEST(StopEndsProgram, WhileItLives) {
  const auto stopped = [](int signal) {
    block_stop_signals();
    const StopEndsProgram impatience;
    send_from_outside(signal);
    ::pause();
  };
  EXPECT_EXIT(stopped(SIGTERM), ExitedWithCode(143), "");
  EXPECT_EXIT(stopped(SIGINT), ExitedWithCode(130), "");
}

TEST(StopEndsProgram, LeavesLaterSignalsToTheProgram) {
  const auto waits = [] {
    block_stop_signals();
    { const StopEndsProgram impatience; }
    send_from_outside(SIGINT);
    std::_Exit(wait_for_stop_signal());
  };
  EXPECT_EXIT(waits(), ExitedWithCode(SIGINT), "");
}

TEST(StopEndsProgram, HoldsNoStartUp) {
  const auto a_hundred = [] {
    block_stop_signals();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) const StopEndsProgram impatience;
    std::_Exit(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1) ? 0 : 1);
  };
  EXPECT_EXIT(a_hundred(), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace dropscore
