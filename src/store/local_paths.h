// From a blob's name to a file of the folder, never leaving it: a part of the name that is a symbolic link to a folder
// is not walked through. Internal to the local store.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "base/files.h"
#include "base/result.h"

namespace dropscore::store {

/// What tells a file from another one and from itself after a change, without a look at its content.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  ///< set by writing, and at will by utimes()
  std::int64_t changed_ns = 0;   ///< set by writing, utimes(), rename(), chmod(); never at will

  static FileIdentity of(const struct stat& status);
  auto operator<=>(const FileIdentity&) const = default;
};

/// The name's last part.
std::string_view leaf_of(std::string_view name);

/// Opens the folder that holds `name`. `make_missing` makes missing folders and syncs their parents.
/// Errors: `not_found` (also where a part is a file or a link); with `make_missing`, `reject` for those; `try_later`.
Result<FileDescriptor> open_parent(const std::filesystem::path& root, std::string_view name, bool make_missing = false);

struct OpenedFile {
  FileDescriptor file;
  FileIdentity identity;
};

/// Opens a regular file for reading, following a link to one. Anything else, above all a pipe, is not opened at all.
/// Errors: `not_found`, `try_later` (also: no permission).
Result<OpenedFile> open_regular(int folder, std::string_view leaf, const std::filesystem::path& path_for_messages);

/// Errors: `try_later`.
Result<FileIdentity> identity_of(int file, const std::filesystem::path& path_for_messages);

}  // namespace dropscore::store
