// How many processors this process may use: what the number of its threads follows where nobody says another.
#pragma once

#include <filesystem>
#include <string_view>

namespace dropscore {

/// The cores that it may run on (sched_getaffinity(2)), or less where a control group has a quota, rounded up; at
/// least 1. As at the first call. Thread-safe.
unsigned processors();

/// `wanted`, or where that is 0 as many as there are processors.
inline unsigned threads_or_processors(unsigned wanted) { return wanted > 0 ? wanted : processors(); }

/// The same of `cores` cores for a process whose /proc/self/cgroup says `groups`, the groups being mounted at `mount`:
/// "cpu.max" (cgroups(7), version 2) or "cpu/cpu.cfs_quota_us" (version 1), its own or that of a group around it.
unsigned processors_within(unsigned cores, std::string_view groups, const std::filesystem::path& mount);

}  // namespace dropscore
