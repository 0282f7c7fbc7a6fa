// Does anybody have this file open for writing?
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace dropscore::event {

enum class Writer : std::uint8_t {
  none,     ///< nobody can be writing to it now
  present,  ///< somebody has it open for writing
  unknown,  ///< the file system, or its owner being someone else, does not let us know
  no_file,  ///< gone, unreadable, or no regular file
};

/// Asks the kernel for a read lease, which it grants only where no process has the file open for writing, and gives it
/// back at once. For the microsecond in between a writer's open() waits (with O_NONBLOCK it fails with EWOULDBLOCK).
/// The signal that would tell us of such a writer is set to one that is ignored unless a handler is installed (SIGURG):
/// the usual one, SIGIO, would end the process.
Writer look_for_writer(const std::filesystem::path& path);

/// Where the kernel does not know: a file whose size and modification time stay the same for a second counts as closed.
/// Used by one thread.
class QuietFiles {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds quiet_time{1000};

  /// True where `path` looked just the same at least quiet_time before `now`.
  bool is_quiet(const std::filesystem::path& path, Clock::time_point now);
  /// Forgets the files that were not asked about since `then`.
  void forget_before(Clock::time_point then);

 private:
  struct Seen {
    std::int64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    Clock::time_point since;
    Clock::time_point asked;
  };
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace dropscore::event
