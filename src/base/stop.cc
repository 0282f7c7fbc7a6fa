#include "base/stop.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>

namespace dropscore {
namespace {

std::atomic<bool> stop_caught = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_stop_signal(int signal) {
  stop_caught = true;
  std::signal(signal, SIG_DFL);  // whoever asks a second time does not want to wait
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return signal;
}

StopEndsProgram::StopEndsProgram()
    : waiter_([](const std::stop_token& done) {
        const sigset_t set = stop_signals();
        constexpr timespec look_again{0, 20'000'000};
        while (!done.stop_requested()) {
          const int signal = sigtimedwait(&set, nullptr, &look_again);
          if (signal > 0) std::_Exit(128 + signal);
        }
      }) {}

StopEndsProgram::~StopEndsProgram() = default;

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: a read that waits for a terminal has to return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return stop_caught; }

}  // namespace dropscore
