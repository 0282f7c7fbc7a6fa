// Files as the project writes them: whole or not at all, safe against a crash and a pulled plug.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dropscore {

/// The whole file. Errors: `not_found`; `too_large` over `max_bytes`; `try_later` for other I/O faults.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Writes `bytes` to a hidden file beside `path`, syncs it, renames it into place and syncs the folder: a reader sees
/// the old file or the new one. Makes missing parent folders. Errors: `try_later`.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Flushes a folder's entries to the disk. Errors: `try_later`.
Status sync_folder(const std::filesystem::path& folder);

/// "cannot <action> <path>: <errno's text>", of kind `not_found` for ENOENT and `try_later` otherwise; the customer's
/// text leaves the path out.
tl::unexpected<Error> io_error(std::string_view action, const std::filesystem::path& path, int error_number);

/// A file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// Writes every byte, whatever the kernel takes at a time. Errors: `try_later`.
Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path_for_messages);

}  // namespace dropscore
