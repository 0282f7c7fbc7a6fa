#include "store/local_paths.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "store/local_store.h"

namespace dropscore::store {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::int64_t to_ns(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

bool ends_without_case(std::string_view text, std::string_view lower_ending) {
  if (text.size() < lower_ending.size()) return false;
  const std::string_view ending = text.substr(text.size() - lower_ending.size());
  for (std::size_t i = 0; i < ending.size(); ++i) {
    const char c = ending[i];
    const char lowered = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lowered != lower_ending[i]) return false;
  }
  return true;
}

bool is_blob_part(std::string_view part) {
  return part.front() != '.' && part.front() != '~' && !ends_without_case(part, ".tmp") &&
         !ends_without_case(part, ".part");
}

tl::unexpected<Error> no_such_file() { return fail(ErrorKind::not_found, "there is no such file"); }

/// A folder of the walk that could not be opened or made.
tl::unexpected<Error> walk_error(const std::filesystem::path& path, bool make_missing, int error_number) {
  const bool in_the_way = error_number == ENOTDIR || error_number == ELOOP;
  if (in_the_way && make_missing) {
    return fail(ErrorKind::reject, "a part of the name is a file or a link, and cannot be a folder");
  }
  if (in_the_way) return no_such_file();
  return io_error("open", path, error_number);
}

}  // namespace

bool is_blob_name(std::string_view relative_path) {
  if (!validate_name(relative_path)) return false;
  for (std::string_view rest = relative_path;;) {
    const std::size_t slash = rest.find('/');
    if (!is_blob_part(rest.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

FileIdentity FileIdentity::of(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size, to_ns(status.st_mtim), to_ns(status.st_ctim)};
}

std::string_view leaf_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

Result<FileDescriptor> open_parent(const std::filesystem::path& root, std::string_view name, bool make_missing) {
  // The root is opened anew each time: a folder that was removed and made again, or mounted over, is found again.
  FileDescriptor folder(::open(root.c_str(), folder_flags));
  if (!folder.valid() && errno == ENOENT && make_missing) {
    // Not made again: it may be a mount that is away, and what is written beneath it would be lost to sight.
    return fail(ErrorKind::try_later, CustomerText{"the folder is gone"}, OperatorText{root.string() + " is gone"});
  }
  if (!folder.valid()) return io_error("open", root, errno);
  const std::string_view whole = name;
  const auto walked = [&] { return root / whole.substr(0, whole.size() - name.size() - 1); };  // for messages
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
    const std::string part(name.substr(0, slash));
    name.remove_prefix(slash + 1);
    if (make_missing) {
      if (::mkdirat(folder.get(), part.c_str(), 0777) == 0) {
        if (::fsync(folder.get()) != 0) return io_error("sync", root, errno);
      } else if (errno != EEXIST) {
        return io_error("make", walked(), errno);
      }
    }
    FileDescriptor next(::openat(folder.get(), part.c_str(), folder_flags | O_NOFOLLOW));
    if (!next.valid()) return walk_error(walked(), make_missing, errno);
    folder = std::move(next);
  }
  return folder;
}

Result<FileIdentity> identity_of(int file, const std::filesystem::path& path_for_messages) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return io_error("look at", path_for_messages, errno);
  return FileIdentity::of(status);
}

Result<OpenedFile> open_regular(int folder, std::string_view leaf, const std::filesystem::path& path_for_messages) {
  const std::string name(leaf);
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, 0) != 0) {
    if (errno == ELOOP || errno == ENAMETOOLONG) return no_such_file();
    return io_error("look at", path_for_messages, errno);
  }
  if (!S_ISREG(status.st_mode)) return no_such_file();
  // Should a pipe have taken the file's place since, O_NONBLOCK keeps the open from waiting for its other end.
  FileDescriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) return io_error("open", path_for_messages, errno);
  if (::fstat(file.get(), &status) != 0) return io_error("look at", path_for_messages, errno);
  if (!S_ISREG(status.st_mode)) return no_such_file();
  return OpenedFile{std::move(file), FileIdentity::of(status)};
}

}  // namespace dropscore::store
