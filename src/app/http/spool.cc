#include "app/http/spool.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace dropscore::http {
namespace {

std::string default_folder() {
  const char* const named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

}  // namespace

Result<Spool> Spool::open(const std::string& folder) {
  const std::string where = folder.empty() ? default_folder() : folder;
  // Without a name from the start: nothing is left behind whatever happens to this process.
  FileDescriptor file(::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid()) return io_error("make a temporary file in", where, errno);
  return Spool(std::move(file));
}

Status Spool::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(written_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error("write", "a temporary file", errno);
    written_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::size_t> Spool::take(std::span<char> out) {
  ssize_t count = -1;
  do {
    count = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(taken_));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return io_error("read", "a temporary file", errno);
  taken_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

}  // namespace dropscore::http
