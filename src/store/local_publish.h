// How the local store publishes: a hidden file is filled, synced, and renamed to its name while that name is locked
// against every other writer, in this process or another. Internal to the local store. docs/formats/local-store.md
#pragma once

#include <filesystem>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace dropscore::store {

inline constexpr std::string_view bookkeeping_folder = ".dropscore";

/// Opens FOLDER/.dropscore, or the folder `within` it; makes and syncs what is missing. Errors: `try_later`.
Result<FileDescriptor> open_bookkeeping(const std::filesystem::path& folder, std::string_view within);

/// A file in FOLDER/.dropscore/tmp, locked (flock) for as long as it is being written, which tells it from one left by
/// a process that died. Removed by the destructor unless published.
class TempFile {
 public:
  /// Makes the bookkeeping folders where they are missing. Errors: `try_later`.
  static Result<TempFile> create(const std::filesystem::path& folder);
  TempFile(TempFile&& other) noexcept = default;
  TempFile& operator=(TempFile&& other) = delete;
  ~TempFile();

  Status write(std::string_view bytes) { return dropscore::write_all(file_.get(), bytes, path_); }
  Status sync();

  /// Gives the file its name in the opened folder `target` and syncs that; replaces what has the name.
  /// Errors: `reject` (a folder has the name, or it is too long), `try_later`.
  Status replace(int target, std::string_view leaf);
  /// As replace(), but fails with `changed` where the name is taken.
  Status place(int target, std::string_view leaf);

 private:
  TempFile(FileDescriptor file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}
  Status published(int target);

  FileDescriptor file_;  ///< not valid once published
  std::filesystem::path path_;
};

/// Removes the files in FOLDER/.dropscore/tmp that no living process writes.
void remove_dead_temp_files(const std::filesystem::path& folder);

/// Holds a blob's name against every other NameLock on the folder until destroyed.
class NameLock {
 public:
  /// Waits for the name. Errors: `try_later`.
  static Result<NameLock> acquire(const std::filesystem::path& folder, std::string_view name);

 private:
  explicit NameLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace dropscore::store
