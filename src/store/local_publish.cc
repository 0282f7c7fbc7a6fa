#include "store/local_publish.h"

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/hash.h"
#include "store/local_paths.h"

namespace dropscore::store {
namespace {

Status rename_error(const std::filesystem::path& path, int error_number) {
  switch (error_number) {
    case EISDIR: return fail(ErrorKind::reject, "a folder has the file's name");
    case ENAMETOOLONG: return fail(ErrorKind::reject, "the file's name is too long");
    case EEXIST: return fail(ErrorKind::changed, "the file is there already");
    // Nothing is "not found" to a writer: its folder was taken away, and may come back.
    case ENOENT: return fail(ErrorKind::try_later, CustomerText{"the folder is gone"}, OperatorText{path.string()});
    default: return io_error("rename", path, error_number);
  }
}

std::filesystem::path temp_folder(const std::filesystem::path& folder) { return folder / bookkeeping_folder / "tmp"; }

}  // namespace

Result<FileDescriptor> open_bookkeeping(const std::filesystem::path& folder, std::string_view within) {
  std::string walk = fmt::format("{}/", bookkeeping_folder);
  if (!within.empty()) walk.append(within).append("/");
  return open_parent(folder, walk, true);
}

Result<TempFile> TempFile::create(const std::filesystem::path& folder) {
  DROPSCORE_TRY(const FileDescriptor parent, open_bookkeeping(folder, "tmp"));
  for (;;) {
    const std::string name = random_id();
    std::filesystem::path path = temp_folder(folder) / name;
    FileDescriptor file(::openat(parent.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file.valid()) return io_error("create", path, errno);
    // Where locks are not to be had, nothing is ever taken for dead either.
    ::flock(file.get(), LOCK_EX | LOCK_NB);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return io_error("look at", path, errno);
    // Another process that opened the store between the two calls above took the file for a dead one.
    if (status.st_nlink == 0) continue;
    return TempFile(std::move(file), std::move(path));
  }
}

TempFile::~TempFile() {
  if (file_.valid()) ::unlink(path_.c_str());
}

Status TempFile::sync() {
  if (::fsync(file_.get()) != 0) return io_error("sync", path_, errno);
  return {};
}

Status TempFile::published(int target) {
  file_ = FileDescriptor();
  if (::fsync(target) != 0) return io_error("sync", path_, errno);
  return {};
}

Status TempFile::replace(int target, std::string_view leaf) {
  const std::string name(leaf);
  if (::renameat(AT_FDCWD, path_.c_str(), target, name.c_str()) != 0) return rename_error(path_, errno);
  return published(target);
}

Status TempFile::place(int target, std::string_view leaf) {
  const std::string name(leaf);
  if (::renameat2(AT_FDCWD, path_.c_str(), target, name.c_str(), RENAME_NOREPLACE) == 0) return published(target);
  if (errno != EINVAL && errno != ENOSYS) return rename_error(path_, errno);
  // A file system without RENAME_NOREPLACE (NFS): a second name, then the first one goes.
  if (::linkat(AT_FDCWD, path_.c_str(), target, name.c_str(), 0) != 0) return rename_error(path_, errno);
  ::unlink(path_.c_str());
  return published(target);
}

void remove_dead_temp_files(const std::filesystem::path& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator at(temp_folder(folder), failed), end; !failed && at != end;
       at.increment(failed)) {
    paths.push_back(at->path());
  }
  for (const std::filesystem::path& path : paths) {
    const FileDescriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.valid() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

Result<NameLock> NameLock::acquire(const std::filesystem::path& folder, std::string_view name) {
  const std::filesystem::path path = folder / bookkeeping_folder / "lock";
  DROPSCORE_TRY(const FileDescriptor parent, open_bookkeeping(folder, ""));
  FileDescriptor file(::openat(parent.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.valid()) return io_error("open", path, errno);
  // One byte of the lock file for each name, so that writers of different blobs do not wait for each other's syncs. The
  // lock belongs to this one opening of the file, which makes it hold between threads as well as between processes.
  // Processes must agree on the byte, hence no std::hash.
  const std::string digits = content_hash_hex(name).substr(0, 15);
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(std::stoull(digits, nullptr, 16));
  range.l_len = 1;
  while (::fcntl(file.get(), F_OFD_SETLKW, &range) != 0) {
    if (errno != EINTR) return io_error("lock", path, errno);
  }
  return NameLock(std::move(file));
}

}  // namespace dropscore::store
