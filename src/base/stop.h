// SIGINT and SIGTERM as something that can be asked and waited for. Set up once, in main.
#pragma once

namespace dropscore {

/// Blocks SIGINT and SIGTERM for this thread and those it starts, and ignores SIGPIPE. Call before any thread starts.
void block_stop_signals();

/// Waits until SIGINT or SIGTERM arrives and returns its number. REQUIRES: block_stop_signals() was called.
int wait_for_stop_signal();

/// True once a stop signal is pending for the process; takes it. For loops that have work between looks.
bool take_stop_signal();

}  // namespace dropscore
