#include "base/files.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/hash.h"

namespace dropscore {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {

/// "" or "; user 998 lacks the right to read /m/model.json (owner 0, mode 0600): chmod a+r gives it", of the first
/// thing on the way that says no: whoever ran another program under another umask has to know which.
std::string lacking_right(const std::filesystem::path& path) {
  const auto may = [](const std::filesystem::path& what, int right) {
    return ::faccessat(AT_FDCWD, what.c_str(), right, AT_EACCESS) == 0 || errno != EACCES;
  };
  const auto lacks = [](const char* right, const std::filesystem::path& what, const char* remedy) {
    struct stat found = {};
    const bool seen = ::stat(what.c_str(), &found) == 0;
    const std::string whose =
        seen ? fmt::format(" (owner {}, mode {:04o})", found.st_uid, found.st_mode & 07777U) : std::string();
    return fmt::format("; user {} lacks the right to {} {}{}: {}", ::geteuid(), right, what.string(), whose, remedy);
  };
  std::filesystem::path folder;  // as far as they are there: the next one is to be made in it
  const std::filesystem::path around = path.parent_path();
  for (const std::filesystem::path& part : around) {
    if (::faccessat(AT_FDCWD, (folder / part).c_str(), F_OK, AT_EACCESS) != 0 && errno == ENOENT) break;
    folder /= part;
    if (!may(folder, X_OK)) return lacks("enter", folder, "chmod a+x gives it");
  }
  if (!may(path, R_OK)) return lacks("read", path, "chmod a+r gives it");
  if (folder.empty()) folder = ".";
  if (!may(folder, W_OK)) return lacks("write in", folder, "chown to that user gives it");
  return {};
}

}  // namespace

int FileDescriptor::release() { return std::exchange(fd_, -1); }

tl::unexpected<Error> io_error(std::string_view action, const std::filesystem::path& path, int error_number) {
  const std::string why = std::strerror(error_number);  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe
  return fail(error_number == ENOENT ? ErrorKind::not_found : ErrorKind::try_later,
              CustomerText{fmt::format("cannot {} the file: {}", action, why)},
              OperatorText{fmt::format("cannot {} {}: {}{}", action, path.string(), why,
                                       error_number == EACCES ? lacking_right(path) : std::string())});
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return io_error("open", path, errno);
  std::string bytes;
  std::string chunk(64 << 10, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path, errno);
    if (got == 0) return bytes;
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) {
      return fail(ErrorKind::too_large, CustomerText{fmt::format("the file is over {} bytes", max_bytes)},
                  OperatorText{fmt::format("{} is over {} bytes", path.string(), max_bytes)});
    }
  }
}

Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path_for_messages) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error("write", path_for_messages, errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return io_error("open", folder, errno);
  if (::fsync(opened.get()) != 0) return io_error("sync", folder, errno);
  return {};
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return io_error("make", folder, failed.value());
  const std::filesystem::path beside = folder / fmt::format(".{}.{}.tmp", path.filename().string(), random_id());
  Status written = [&]() -> Status {
    const FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.valid()) return io_error("create", beside, errno);
    DROPSCORE_CHECK(write_all(file.get(), bytes, beside));
    if (::fsync(file.get()) != 0) return io_error("sync", beside, errno);
    if (::rename(beside.c_str(), path.c_str()) != 0) return io_error("rename", path, errno);
    return {};
  }();
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  return sync_folder(folder);
}

}  // namespace dropscore
