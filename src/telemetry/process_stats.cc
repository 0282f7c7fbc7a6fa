#include "telemetry/process_stats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

namespace dropscore::telemetry {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The whole number that `text` begins with, spaces before it left aside; 0 where there is none.
double number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<double>(value);
}

double number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  return at == std::string_view::npos ? 0 : number(text.substr(at + name.size()));
}

/// Fields of /proc/self/stat from its third on (proc(5)): the second, the program's name, may hold anything.
class Stat {
 public:
  explicit Stat(std::string text) : text_(std::move(text)) {
    rest_ = text_;
    rest_.remove_prefix(std::min(rest_.rfind(')') + 1, rest_.size()));
  }
  double field(int number_of) const {
    std::string_view rest = rest_;
    for (int i = 3; i <= number_of; ++i) {
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      if (i < number_of) rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    }
    return number(rest);
  }

 private:
  std::string text_;
  std::string_view rest_;
};

double open_files() {
  std::error_code failed;
  double found = -1;  // one is the look itself
  for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end; at.increment(failed))
    ++found;
  return failed ? 0 : found;
}

double max_files() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

/// Of a group and of those that it lies in. In a container its own files are seen as the root's, under no other path.
double group_limit(const std::string& root, std::string_view group, const char* file) {
  double limit = std::numeric_limits<double>::infinity();
  for (std::string folder = root + std::string(group);; folder.resize(folder.rfind('/'))) {
    const double found = number(contents(folder + "/" + file));  // "max" is no number
    if (found > 0) limit = std::min(limit, found);
    if (folder.size() <= root.size()) return limit;
  }
}

double memory_limit() {
  double limit = number_after(contents("/proc/meminfo"), "MemTotal:") * 1024;
  const std::string groups = contents("/proc/self/cgroup");
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with("0::")) {
      limit = std::min(limit, group_limit("/sys/fs/cgroup", line.substr(3), "memory.max"));
    } else if (const std::size_t at = line.find(":memory:"); at != std::string_view::npos) {
      limit = std::min(limit, group_limit("/sys/fs/cgroup/memory", line.substr(at + 8), "memory.limit_in_bytes"));
    }
  }
  return limit;
}

}  // namespace

ProcessStats process_stats() {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const Stat stat(contents("/proc/self/stat"));
  ProcessStats now;
  now.cpu_seconds = (stat.field(14) + stat.field(15)) / ticks;
  now.threads = stat.field(20);
  now.resident_bytes = stat.field(24) * page;
  now.start_time_seconds = number_after(contents("/proc/stat"), "\nbtime ") + stat.field(22) / ticks;
  now.open_files = open_files();
  now.max_files = max_files();
  now.memory_limit_bytes = memory_limit();
  return now;
}

}  // namespace dropscore::telemetry
