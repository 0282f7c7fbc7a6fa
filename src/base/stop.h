// SIGINT, SIGTERM and SIGHUP as something that can be asked and waited for. A program uses one of the two ways, set up
// in main before any thread starts.
#pragma once

#include <functional>
#include <thread>

namespace dropscore {

/// For a program that waits: blocks the stop signals for this thread and those it starts, and ignores SIGPIPE.
void block_stop_signals();

/// Waits until a stop signal arrives and returns its number; the next SIGINT or SIGTERM then ends the program at once,
/// its exit code 128 and the signal's number. SIGHUP calls `reload`, and the waiting goes on; it is a stop signal where
/// there is nothing to reload, or where the terminal that the program was started from is gone.
/// REQUIRES: block_stop_signals() was called; one thread waits.
int wait_for_stop_signal(const std::function<void()>& reload = {});

/// While it lives, a stop signal ends the program at once, its exit code 128 and the signal's number: for a start that
/// waits for others, with nothing under way yet.
/// REQUIRES: block_stop_signals() was called; nobody is in wait_for_stop_signal().
class StopEndsProgram {
 public:
  StopEndsProgram();
  ~StopEndsProgram();
  StopEndsProgram(const StopEndsProgram&) = delete;
  StopEndsProgram& operator=(const StopEndsProgram&) = delete;

 private:
  std::jthread waiter_;
};

/// For a program that works: a stop signal interrupts a blocking call and sets a flag, and the next one ends the
/// program at once, as above; SIGPIPE is ignored.
void catch_stop_signals();

/// True once a stop signal was caught. Thread-safe.
bool stop_requested();

/// The number of the signal that catch_stop_signals() caught; 0: none. Thread-safe.
int stop_signal();

/// Ends the program by the signal that was caught, as if it had never been: a shell's loop ends with a program that
/// SIGINT has ended, and goes on after one that exits, be it with 130. Returns where the kernel spares the program, as
/// a container's first process.
/// REQUIRES: stop_requested(); nothing is left to be cleared away.
void end_by_stop_signal();

}  // namespace dropscore
