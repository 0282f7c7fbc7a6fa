// SIGINT and SIGTERM as something that can be asked and waited for. A program uses one of the two ways, set up in main
// before any thread starts.
#pragma once

namespace dropscore {

/// For a program that waits: blocks the stop signals for this thread and those it starts, and ignores SIGPIPE.
void block_stop_signals();

/// Waits until a stop signal arrives and returns its number; the next one then ends the program at once.
/// REQUIRES: block_stop_signals() was called; one thread waits.
int wait_for_stop_signal();

/// For a program that works: a stop signal interrupts a blocking call and sets a flag; SIGPIPE is ignored.
void catch_stop_signals();

/// True once a stop signal was caught. Thread-safe.
bool stop_requested();

}  // namespace dropscore
