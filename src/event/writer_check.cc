#include "event/writer_check.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/files.h"

namespace dropscore::event {

Writer look_for_writer(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return Writer::no_file;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) return Writer::no_file;
  if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return Writer::unknown;
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
    return Writer::none;
  }
  return errno == EAGAIN ? Writer::present : Writer::unknown;
}

bool QuietFiles::is_quiet(const std::filesystem::path& path, Clock::time_point now) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  const std::int64_t modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  const auto [at, is_new] = seen_.try_emplace(path.string(), Seen{status.st_size, modified_ns, now, now});
  Seen& seen = at->second;
  if (seen.size_bytes != status.st_size || seen.modified_ns != modified_ns) {
    seen = Seen{status.st_size, modified_ns, now, now};
  }
  seen.asked = now;
  return now - seen.since >= quiet_time;
}

void QuietFiles::forget_before(Clock::time_point then) {
  std::erase_if(seen_, [then](const auto& entry) { return entry.second.asked < then; });
}

}  // namespace dropscore::event
