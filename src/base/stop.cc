#include "base/stop.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>

#include <unistd.h>

namespace dropscore {
namespace {

std::atomic<int> signal_caught = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

/// The exit code is a shell's for a program that a signal has ended.
[[noreturn]] void end_at_once(int signal) { ::_exit(128 + signal); }

/// Of a stop signal from now on. Its default action would do, but for a container's first process, which the kernel
/// spares it.
void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: a read that waits for a terminal has to return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void on_stop_signal(int signal) {
  signal_caught = signal;
  install(end_at_once);  // whoever asks a second time does not want to wait
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

sigset_t stop_signals_and_hangup() {
  sigset_t set = stop_signals();
  sigaddset(&set, SIGHUP);
  return set;
}

/// Of the standard streams, those that are a terminal; one that hung up is none any more.
std::array<bool, 3> terminals() { return {::isatty(0) == 1, ::isatty(1) == 1, ::isatty(2) == 1}; }

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals_and_hangup();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal(const std::function<void()>& reload) {
  const std::array<bool, 3> at_start = terminals();
  const sigset_t set = stop_signals_and_hangup();
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == SIGHUP && reload && terminals() == at_start) {
      reload();
      continue;
    }
    install(end_at_once);
    const sigset_t second = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &second, nullptr);
    return signal;
  }
}

StopEndsProgram::StopEndsProgram()
    : waiter_([] {
        const sigset_t set = stop_signals();
        siginfo_t info;
        int signal = 0;
        while ((signal = sigwaitinfo(&set, &info)) < 0) {  // a debugger interrupts it
        }
        if (info.si_pid != ::getpid()) std::_Exit(128 + signal);
      }) {}

StopEndsProgram::~StopEndsProgram() {
  // To the one thread: a stop signal from outside is pending for the program, and stays so for whoever waits next.
  pthread_kill(waiter_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread): it waits for it
}

void catch_stop_signals() {
  install(on_stop_signal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return signal_caught != 0; }

int stop_signal() { return signal_caught; }

void end_by_stop_signal() {
  std::signal(signal_caught, SIG_DFL);
  std::raise(signal_caught);
}

}  // namespace dropscore
