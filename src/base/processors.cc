#include "base/processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <thread>

namespace dropscore {
namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();

/// Microseconds of processor time in each period of so many; "max" and -1 are none.
double ratio(const std::string& quota_us, double period_us) {
  const double quota = std::strtod(quota_us.c_str(), nullptr);
  return quota > 0 && period_us > 0 ? quota / period_us : no_limit;
}

double quota_v2(const std::filesystem::path& group) {
  std::string quota;
  double period = 0;
  std::ifstream(group / "cpu.max") >> quota >> period;
  return ratio(quota, period);
}

double quota_v1(const std::filesystem::path& group) {
  std::string quota;
  double period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return ratio(quota, period);
}

/// The least of the group's and of those around it, as far as they can be seen: in a container its own is the root.
template <class Quota>
double least_quota(const std::filesystem::path& mount, std::string_view group, Quota quota) {
  double least = quota(mount);
  std::filesystem::path at = mount;
  for (const std::filesystem::path& part : std::filesystem::path(group).relative_path()) {
    at /= part;
    least = std::min(least, quota(at));
  }
  return least;
}

/// Of "cpu,cpuacct", say.
bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::string_view one = controllers.substr(0, controllers.find(','));
    if (one == "cpu") return true;
    controllers.remove_prefix(std::min(one.size() + 1, controllers.size()));
  }
  return false;
}

}  // namespace

unsigned processors_within(unsigned cores, std::string_view groups, const std::filesystem::path& mount) {
  double least = no_limit;
  while (!groups.empty()) {
    const std::string_view line = groups.substr(0, groups.find('\n'));  // "HIERARCHY:CONTROLLERS:GROUP"
    groups.remove_prefix(std::min(line.size() + 1, groups.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) least = std::min(least, least_quota(mount, group, quota_v2));
    if (names_cpu(controllers)) least = std::min(least, least_quota(mount / "cpu", group, quota_v1));
  }
  const double most = std::max(1U, cores);
  return static_cast<unsigned>(std::clamp(std::ceil(least), 1.0, most));
}

unsigned processors() {
  static const unsigned found = [] {
    std::ifstream file("/proc/self/cgroup");
    const std::string groups{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    // As sched_getaffinity(2) says, with this machine's library.
    return processors_within(std::thread::hardware_concurrency(), groups, "/sys/fs/cgroup");
  }();
  return found;
}

}  // namespace dropscore
