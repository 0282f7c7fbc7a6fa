#include "store/local_etags.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "telemetry/heartbeat.h"

namespace dropscore::store {
namespace {

constexpr int max_hash_tries = 3;
/// Some 200 MB. A store that is never listed has nobody to tell it what is gone; beyond this it begins anew.
constexpr std::size_t max_entries = 1'000'000;

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// True where any write after `at_ns` is sure to give the file another change time. File systems stamp with a clock
/// that ticks every 1 to 10 ms (some, told by their whole seconds, every 1 or 2 s): a file that is written again within
/// the tick of its last write looks unchanged. So a hash taken that soon is right to use, but wrong to remember.
bool is_settled(const FileIdentity& identity, std::int64_t at_ns) {
  const bool whole_seconds = identity.changed_ns % 1'000'000'000 == 0;
  const std::int64_t tick_ns = whole_seconds ? 2'100'000'000 : 20'000'000;
  return at_ns - identity.changed_ns >= tick_ns;
}

Result<std::string> hash_file(int file, std::int64_t size_bytes, const std::filesystem::path& path) {
  ContentHash hash;
  const std::size_t wanted = static_cast<std::size_t>(std::clamp<std::int64_t>(size_bytes + 1, 512, 1 << 20));
  std::string chunk(wanted, '\0');
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(file, chunk.data(), chunk.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path, errno);
    if (got == 0) return hash.hex();
    telemetry::beat();
    hash.update(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
    at += got;
  }
}

}  // namespace

std::optional<std::string> EtagCache::find(const FileIdentity& identity) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({identity.device, identity.inode});
  if (found == entries_.end() || found->second.identity != identity) return std::nullopt;
  found->second.round = round_;
  return found->second.etag;
}

Result<std::string> EtagCache::of(int file, FileIdentity& identity, const std::filesystem::path& path_for_messages) {
  if (auto known = find(identity)) return *std::move(known);
  for (int tries = 0; tries < max_hash_tries; ++tries) {
    const std::int64_t start_ns = now_ns();
    DROPSCORE_TRY(std::string etag, hash_file(file, identity.size_bytes, path_for_messages));
    DROPSCORE_TRY(const FileIdentity after, identity_of(file, path_for_messages));
    if (after == identity) {
      if (is_settled(identity, start_ns)) {
        const std::lock_guard lock(mutex_);
        if (entries_.size() >= max_entries) entries_.clear();
        entries_[{identity.device, identity.inode}] = Entry{identity, etag, round_};
      }
      return etag;
    }
    identity = after;
  }
  return fail(ErrorKind::try_later, CustomerText{"the file is being written"},
              OperatorText{path_for_messages.string() + " changed while it was hashed"});
}

std::uint64_t EtagCache::start_round() {
  const std::lock_guard lock(mutex_);
  return ++round_;
}

void EtagCache::forget_before(std::uint64_t round) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [round](const auto& entry) { return entry.second.round < round; });
}

}  // namespace dropscore::store
