// What the system says about this process: /proc/self and its control group.
#pragma once

namespace dropscore::telemetry {

/// 0 where the system does not say.
struct ProcessStats {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_files = 0;
  double max_files = 0;
  double start_time_seconds = 0;  ///< Unix time
  double threads = 0;
  double memory_limit_bytes = 0;  ///< the tightest of the control groups', or the machine's memory
};

/// Some fifty microseconds. Thread-safe.
ProcessStats process_stats();

}  // namespace dropscore::telemetry
